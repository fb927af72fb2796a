/**
 * What every client of the AWS SDK for JavaScript v3 has, as far as it is used here. Written down here, so that the types
 * of this library need no package of the SDK.
 */
export interface AwsClient {
  readonly config: object;
  readonly middlewareStack: object;
  /** Sends a command. */
  send(...args: never[]): unknown;
  /** Closes its sockets at once. */
  destroy(): void;
}

/** The class of such a client: `S3Client`, or the aggregated `S3`. */
export type AwsClientClass = new (...args: never) => AwsClient;

/**
 * The options that a client's class takes.
 *
 * @example
 * type S3Options = AwsClientConfig<typeof S3Client>; // S3ClientConfig
 */
export type AwsClientConfig<C extends AwsClientClass> =
  ConstructorParameters<C> extends readonly [(infer O)?, ...unknown[]] ? Extract<O, object> : never;

/** A middleware of the SDK, as far as it is used here. */
export type Middleware = (next: Handle, context: { readonly commandName?: string }) => Handle;
export type Handle = (args: object) => Promise<Answer>;

/** What a request is answered with: `response` is HTTP's, with a stream as its body. */
export interface Answer {
  readonly output?: unknown;
  readonly response?: unknown;
}

export interface MiddlewareStack {
  add(middleware: Middleware, options: { step: 'initialize' | 'deserialize'; priority: 'high' }): void;
}

/** Sends single HTTP requests for a client, and owns the sockets. */
export interface RequestHandler {
  handle(request: object, options?: { readonly abortSignal?: unknown }): Promise<object>;
}
