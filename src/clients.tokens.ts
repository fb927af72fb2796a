/** A client's token is its name between these two. Nest quotes the token in its error when a name is misspelt. */
const START = 'nestjs-clients:';
const END = ', to be declared in ClientsModule.forRoot(), or to be imported where its isGlobal is false';

/**
 * The injection token of the client named `name`: for `@Inject`, `inject` arrays, `app.resolve` and `overrideProvider`.
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(getClientToken('redis')).useValue(fake);
 */
export function getClientToken(name: string): string {
  return START + name + END;
}

/** The name of the client that a token stands for, or `undefined` if it is not a client's token. */
export function getClientName(token: unknown): string | undefined {
  if (typeof token !== 'string' || !token.startsWith(START) || !token.endsWith(END)) return undefined;
  return token.slice(START.length, -END.length);
}

/** `HttpDrainModule` provides this token, so that the core can tell that it is imported without importing it. */
export const HTTP_DRAIN = 'nestjs-clients:http-drain';
