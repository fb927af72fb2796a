/** A server on the loopback interface, in this process or one that it started. Real clients connect to it over TCP. */
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
