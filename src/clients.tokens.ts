/** The prefix keeps client tokens apart from an application's own; it also tells a client's token from any other. */
const PREFIX = 'nestjs-clients:';

/**
 * The injection token of the client named `name`: for `@Inject`, `inject` arrays, `app.resolve` and `overrideProvider`.
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(getClientToken('redis')).useValue(fake);
 */
export function getClientToken(name: string): string {
  return PREFIX + name;
}

/** The name of the client that a token stands for, or `undefined` if it is not a client's token. */
export function getClientName(token: unknown): string | undefined {
  return typeof token === 'string' && token.startsWith(PREFIX) ? token.slice(PREFIX.length) : undefined;
}
