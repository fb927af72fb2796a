/** The rows of `docs/reliability.md`, in order: what goes wrong, and what must be true then. */
export const ROWS = {
  drain: {
    fault: 'SIGTERM under load: 50 connections, handlers using Redis and DynamoDB, keep-alive and not',
    holds: '0 failed responses among accepted requests, 0 DynamoDB writes sent twice',
  },
  drainKinds: {
    fault:
      'shutdown with `HttpDrainModule` while connections of every kind are open, Express and Fastify, HTTP and HTTPS, timeout 2 s',
    holds:
      '0 answers lost that began before the timeout; what has no end is cut at the timeout and named in one log line',
  },
  drainForever: {
    fault: 'shutdown without `HttpDrainModule` while a connection has no end',
    holds: 'after 10 s one warning says how many connections are open and how to bound it',
  },
  closing: {
    fault:
      'every way in which ioredis or node-redis hangs, leaks or loses commands at the end; standalone, TLS, Sentinel, Cluster; `maxRetriesPerRequest` default, 0, 1, null; with and without offline queue',
    holds: '`app.close()` within closeTimeout + 2.1 s, status `end`, 0 commands unsettled, 0 sockets',
  },
  tls: {
    fault:
      'TLS: a `rediss://` URL; a certificate that is not trusted, for another host, or asked of the client; no TLS at all',
    holds: 'it connects and closes, or an error says why not, without a credential; 0 sockets',
  },
  bootstrapFails: {
    fault: 'bootstrap fails after clients were built',
    holds: 'the process exits by itself within 1 s, 0 connections on the server',
  },
  neverClosed: {
    fault: '`compile()` and never closed',
    holds: 'the process exits by itself within 1 s, 0 connections on the server',
  },
  bootstrapSignal: {
    fault: 'SIGTERM at 20 moments of bootstrap, Express and Fastify',
    holds: 'the process exits by itself within 1 s, 0 connections on the server',
  },
  listenFails: {
    fault: '`app.listen` fails after bootstrap has connected: its port is taken',
    holds: 'the process exits by itself within 1 s of the error, or of `app.close()`, 0 connections on the server',
  },
  closeFailures: {
    fault: '10 clients: 3 fail to close, 1 hangs',
    holds: '10 attempted, the 4 named in log and event, the whole shutdown within its budget',
  },
  graphs: {
    fault: '1,000 random dependency graphs of clients',
    holds: '0 closed before their dependents; independent ones overlap',
  },
  otherHooks: {
    fault: 'another global module uses a client in its own shutdown hook, imported before and after ours',
    holds: 'it works in both orders',
  },
  closedOnce: {
    fault: 'close twice, close during SIGTERM, two signals, registry.close() then app.close(), Express and Fastify',
    holds: 'each client closed once',
  },
  creation: {
    fault: 'create that fails, then succeeds; that hangs past its deadline and ends later; recursion between clients',
    holds: 'the next injection builds it; the late one is closed; recursion is named with its path',
  },
  refusal: {
    fault: 'injection and `get` during and after shutdown',
    holds: '`CLIENTS_CLOSED` within 1 ms, nothing built',
  },
  restart: {
    fault: 'server killed and restarted under load',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  failover: {
    fault: 'Sentinel failover under load',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  clusterPrimary: {
    fault: 'Cluster primary killed under load',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  clientKill: {
    fault: '`CLIENT KILL` of every connection, under load',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  connectionEvents: {
    fault: 'a Redis, a Sentinel and a Cluster killed and started again, nobody using them',
    holds: '`disconnected` and `connected` are told, once each, and the status says so',
  },
  rotation: {
    fault: 'the token of a Redis user rotates under load, `default` off; standalone and a Cluster of three',
    holds: '0 failed commands, no connection lost; every connection logs in again before its token expires',
  },
  rotationRevoked: {
    fault: 'the token is revoked and every connection killed, the provider fails for a while',
    holds: 'an error event for each failure, then connected with the new token; no token in events, log or status',
  },
  frozenProbe: {
    fault: 'Redis frozen, 50 checks timed out, then close',
    holds: 'closing takes as long as without a check; one PING waits for its answer',
  },
  dynamodbCut: {
    fault: 'DynamoDB refused for 2 s and every connection reset, under load',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  frozenProcess: {
    fault: 'the process frozen for 10 s and thawed, all of its sockets dead meanwhile',
    holds: 'traffic resumes without a restart of the app; errors bounded to the outage',
  },
  down: {
    fault: 'every server down for 60 s',
    holds: '0 crashes, a bounded number of log lines per client, `status().lastError` tells',
  },
  health: {
    fault: 'Redis frozen while `/health` or `registry.check` is asked',
    holds: 'answers within its timeout, always',
  },
  dynamodbHealth: {
    fault: 'DynamoDB endpoint down, cutting connections or silent while `registry.check` is asked',
    holds: 'down, with the reason, within its timeout; up again after',
  },
  awsClosing: {
    fault:
      'S3, SQS, SNS, Lambda and DynamoDB, plain and aggregated clients: 60 requests each in flight at close, answered slowly or never',
    holds: 'the server saw each once; answered, or `CLIENTS_CLOSED` at closeTimeout; 0 unsettled, 0 sockets',
  },
  awsRetries: {
    fault: 'the same services fail with 503 or are down at close, requests wait for their next attempt',
    holds: '`CLIENTS_CLOSED` at closeTimeout, nothing sent after',
  },
  awsBodies: {
    fault: 'an S3 object of 8 MB read slowly, or by nobody, an upload, a stream of events, a long poll, at close',
    holds: 'whole, and once; what nobody reads or writes is ended at closeTimeout; 0 sockets',
  },
  cycles: {
    fault: '1,000 create/close cycles of an app in one process',
    holds: '0 connections left, heap slope about 0, no timer left',
  },
  processScope: {
    fault: "two and three apps in one process with `scope: 'process'`, closed in every order, one failing to boot",
    holds: 'one client, closed with the last; a new app afterwards gets a new one',
  },
  keyed: {
    fault:
      '1,000 random lives of keyed clients on a real Redis: use, lease, release, evict, idle, full, failing builds, shutdown at any moment',
    holds:
      'nothing closed while held, never more than `max`, each closed once, 0 connections in `CLIENT LIST` after it',
  },
  owned: {
    fault: 'a client with `owned: false`',
    holds: 'never closed by this module',
  },
  options: {
    fault: '5,000 generated option objects, valid and not',
    holds: 'no crash, no open handle, an error with a code or a working definition',
  },
  canary: {
    fault: 'canary secrets in every option, in URLs, in failing AUTH, in SDK errors',
    holds: '0 appearances in logs, events, status, health, errors (message, stack, JSON, inspect at depth 10, cause)',
  },
  readyDown: {
    fault: "`waitUntilReady`, `connect: 'use'`, `eager`, with a server that is down",
    holds: 'bootstrap fails in time with a clear error, or carries on, as the option says',
  },
  readySlow: {
    fault: "`waitUntilReady`, `connect: 'use'`, `eager`, with a server that is slow",
    holds: 'bootstrap waits, fails in time with a clear error, or carries on, as the option says',
  },
  readyAuth: {
    fault: "`waitUntilReady`, `connect: 'use'`, `eager`, with a server that refuses AUTH",
    holds: 'bootstrap fails in time with a clear error, or carries on, as the option says',
  },
} as const satisfies Record<string, { fault: string; holds: string }>;

export type Row = keyof typeof ROWS;
