import { Logger } from '@nestjs/common';

/** Milliseconds after bootstrap. Until then `enableShutdownHooks()` may still be called, after `init()` for instance. */
const PATIENCE = 1_000;

/**
 * Warns once, soon after bootstrap, when nothing in the process listens for SIGTERM: the clients would never be closed.
 *
 * It does not warn in tests, in worker threads (which get no signals), in AWS Lambda (which sends none), or in a script that
 * has closed its application or ended by then.
 */
export class ShutdownWarning {
  #timer: NodeJS.Timeout | undefined;

  /** Starts the timer. Each `forRoot` calls it after bootstrap; only the first call counts. */
  arm(): void {
    if (this.#timer || isTestOrLambda(process.env)) return;
    this.#timer = setTimeout(warnUnlessHeard, PATIENCE).unref();
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }
}

function warnUnlessHeard(): void {
  if (process.listenerCount('SIGTERM') > 0) return;
  // Not an import: applications rarely have this module loaded, and every one of them would load it when it starts.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) return;
  new Logger('ClientsModule').warn(
    'Nothing listens for SIGTERM, so the process will end without closing its clients. ' +
      'Call app.enableShutdownHooks(), or close the application in a handler of your own.',
  );
}

function isTestOrLambda(environment: NodeJS.ProcessEnv): boolean {
  return (
    environment['NODE_ENV'] === 'test' ||
    ['VITEST', 'JEST_WORKER_ID', 'NODE_TEST_CONTEXT', 'AWS_LAMBDA_FUNCTION_NAME'].some(
      (name) => environment[name] !== undefined,
    )
  );
}
