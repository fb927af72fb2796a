/** A server in this process, on the loopback interface, that real clients talk to over TCP. */
export interface TestServer extends AsyncDisposable {
  /** Always `'127.0.0.1'`: nothing outside this machine can connect. */
  readonly host: string;
  /** The port it listens on. */
  readonly port: number;
  /**
   * Drops every connection that is still open and stops listening. Its data is gone. Safe to call again.
   *
   * @example
   * afterAll(() => server.close());
   */
  close(): Promise<void>;
}
