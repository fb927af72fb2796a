import {
  BOOLEAN,
  findBrokenRule,
  isFunction,
  isList,
  isObject,
  isPort,
  isText,
  MILLISECONDS,
  OBJECT,
  PORT,
  STRING,
  TEXT,
  wholeNumber,
  withoutUndefined,
  type Options,
  type Rule,
  type Rules,
} from '../definition/rules.js';
import { describeRedisUrl } from '../redis-url.js';

const CLIENT_RULES: Rules = {
  socket: OBJECT,
  username: STRING,
  password: STRING,
  credentialsProvider: [
    (value) => isObject(value) && isText(value['type']),
    `must be an object with a "type" such as 'async-credentials-provider'`,
  ],
  name: TEXT,
  database: wholeNumber(0),
  RESP: [(value) => value === 2 || value === 3, 'must be 2 or 3'],
  commandsQueueMaxLength: wholeNumber(0),
  disableOfflineQueue: BOOLEAN,
  readonly: BOOLEAN,
  pingInterval: MILLISECONDS,
  commandOptions: OBJECT,
  modules: OBJECT,
  scripts: OBJECT,
  functions: OBJECT,
};

const SOCKET_RULES: Rules = {
  host: TEXT,
  port: PORT,
  path: TEXT,
  tls: [BOOLEAN[0], 'must be true or false; options of TLS, such as "ca", go beside it'],
  connectTimeout: MILLISECONDS,
  socketTimeout: MILLISECONDS,
  reconnectStrategy: [
    (value) => value === false || MILLISECONDS[0](value) || isFunction(value),
    'must be milliseconds, false, or a function that returns one of them',
  ],
};

const ADDRESS_MAP: Rule = [(value) => isObject(value) || isFunction(value), 'must be an object or a function'];

const CLUSTER_RULES: Rules = {
  defaults: OBJECT,
  minimizeConnections: BOOLEAN,
  useReplicas: BOOLEAN,
  maxCommandRedirections: wholeNumber(0),
  nodeAddressMap: ADDRESS_MAP,
};

const SENTINEL_RULES: Rules = {
  name: TEXT,
  nodeClientOptions: OBJECT,
  sentinelClientOptions: OBJECT,
  masterPoolSize: wholeNumber(1),
  replicaPoolSize: wholeNumber(0),
  scanInterval: MILLISECONDS,
  maxCommandRediscovers: wholeNumber(0),
  reserveClient: BOOLEAN,
  passthroughClientErrorEvents: BOOLEAN,
  nodeAddressMap: ADDRESS_MAP,
};

/** What a cluster, or a client that asks Sentinels, has for each of its connections, and not beside them. */
const OF_ONE_CONNECTION = ['url', 'socket', 'username', 'password', 'credentialsProvider'];

/** What ioredis, or node-redis before version 5, has elsewhere. */
const MISPLACED: Readonly<Record<string, string>> = {
  host: 'belongs under "socket": { socket: { host } }',
  port: 'belongs under "socket": { socket: { port } }',
  path: 'belongs under "socket": { socket: { path } }',
  tls: 'belongs under "socket": { socket: { tls: true } }',
  connectTimeout: 'belongs under "socket"',
  db: 'is an option of ioredis; node-redis calls it "database"',
  legacyMode: 'is an option of node-redis 4; call legacy() on the client instead',
  retryStrategy: 'is an option of ioredis; node-redis has "reconnectStrategy", under "socket"',
};

/**
 * Says what is wrong with a client's options: which one, why and how to mend it; never its value.
 *
 * @param origin where they come from, as the beginning of a clause
 */
export function findNodeRedisProblem(options: object, origin = 'the options say'): string | undefined {
  const given = withoutUndefined(options);
  const other = findOtherKind(given, { rootNodes: 'nodeRedisCluster', sentinelRootNodes: 'nodeRedisSentinel' });
  if (other) return other;
  const problem = findClientProblem(given);
  if (problem) return problem;
  const socket = optionsIn(given, 'socket');
  if ('url' in given || ['host', 'port', 'path'].some((key) => key in socket)) return undefined;
  const remedy = 'give "url", or "host", "port" or "path" under "socket"';
  if (!('url' in options)) return `nothing says where the server is; ${remedy}`;
  const unset = `${origin} url: ${String(options.url)}; is a variable not set?`;
  return `nothing says where the server is: ${unset} Or ${remedy}`;
}

/** Says what is wrong with a cluster's options. */
export function findNodeRedisClusterProblem(options: object): string | undefined {
  const given = withoutUndefined(options);
  if ('nodes' in given) return '"nodes" is an option of ioredis; node-redis takes { url } or { socket } in "rootNodes"';
  const single = OF_ONE_CONNECTION.find((key) => key in given);
  if (single) return `"${single}" is for one connection; what all nodes have in common goes under "defaults"`;
  const { rootNodes } = given;
  if (!isList(rootNodes)) return '"rootNodes" must be an array of { url } or { socket }, and not an empty one';
  const broken = findBrokenRule(given, CLUSTER_RULES);
  if (broken) return broken;
  const defaults = optionsIn(given, 'defaults');
  const shared = findClientProblem(defaults);
  if (shared) return `in "defaults", ${shared}`;
  for (const [index, node] of rootNodes.entries()) {
    const problem = findRootNodeProblem(node, defaults);
    if (problem) return `"rootNodes[${index}]" ${problem}`;
  }
  return undefined;
}

/** Says what is wrong with the options of a client that asks Sentinels. */
export function findNodeRedisSentinelProblem(options: object): string | undefined {
  const given = withoutUndefined(options);
  if ('sentinels' in given) {
    return '"sentinels" is an option of ioredis; node-redis takes { host, port } in "sentinelRootNodes"';
  }
  const single = OF_ONE_CONNECTION.find((key) => key in given);
  if (single) return `"${single}" is for one connection; give it under "nodeClientOptions" or "sentinelClientOptions"`;
  if (!('name' in given)) return '"name" is missing, the name of the group that the Sentinels watch';
  const { sentinelRootNodes } = given;
  if (!isList(sentinelRootNodes)) return '"sentinelRootNodes" must be an array of { host, port }, and not an empty one';
  for (const [index, node] of sentinelRootNodes.entries()) {
    const { host, port } = isObject(node) ? node : {};
    if (!isText(host) || !isPort(port))
      return `"sentinelRootNodes[${index}]" must be { host, port }, the port a number from 1 to 65535`;
  }
  const broken = findBrokenRule(given, SENTINEL_RULES);
  if (broken) return broken;
  for (const key of ['nodeClientOptions', 'sentinelClientOptions']) {
    const nested = optionsIn(given, key);
    if ('url' in nested) return `in "${key}", "url" has no place: the Sentinels say where servers are`;
    const problem = findClientProblem(nested);
    if (problem) return `in "${key}", ${problem}`;
  }
  return undefined;
}

/** The options that are nested under that name, if any. */
function optionsIn(options: Options, key: string): Options {
  const { [key]: nested } = options;
  return isObject(nested) ? withoutUndefined(nested) : {};
}

function findOtherKind(options: Options, kinds: Readonly<Record<string, string>>): string | undefined {
  const key = Object.keys(kinds).find((name) => name in options);
  return key && `"${key}" belongs to another kind; declare it with ${kinds[key]}()`;
}

/** Whatever can be said of one connection's options, complete or not. */
function findClientProblem(options: Options): string | undefined {
  const misplaced = Object.keys(options).find((key) => Object.hasOwn(MISPLACED, key));
  if (misplaced !== undefined) return `"${misplaced}" ${MISPLACED[misplaced]}`;
  const broken = findBrokenRule(options, CLIENT_RULES);
  if (broken) return broken;
  const socket = optionsIn(options, 'socket');
  const ofSocket = findBrokenRule(socket, SOCKET_RULES);
  if (ofSocket) return `in "socket", ${ofSocket}`;
  if ('path' in socket && ('host' in socket || 'port' in socket))
    return 'in "socket", "path" and "host" or "port" both say where the server is; give one of them';
  return findUrlProblem(options, socket) ?? findCredentialsProblem(options);
}

function findUrlProblem(options: Options, socket: Options): string | undefined {
  const { url } = options;
  if (url === undefined) return undefined;
  if (url === '') return '"url" is empty; perhaps a variable is not set';
  const problem = describeRedisUrl(url, '"socket": { path }');
  if (problem) return `"url" ${problem}`;
  const address = new URL(url as string);
  const rival = ['host', 'path', ...(address.port ? ['port'] : [])].find((key) => key in socket);
  if (rival) return `"url" and "${rival}" of "socket" both say where the server is; give one of them`;
  const isSecure = address.protocol === 'rediss:';
  if ('tls' in socket && socket['tls'] !== isSecure)
    return `"url" and "tls" of "socket" contradict each other: TLS is ${isSecure ? 'rediss' : 'redis'}:// or not; write ${isSecure ? 'tls: true' : 'rediss://'}`;
  const twice = ['username', 'password', 'database'].find((key) => key in options && hasInUrl(address, key));
  return twice && `"url" and "${twice}" say the same; give one of them`;
}

function findCredentialsProblem(options: Options): string | undefined {
  if (!('credentialsProvider' in options)) return undefined;
  const own = ['username', 'password'].find((key) => key in options);
  if (own) return `"credentialsProvider" and "${own}" both say how to log in; give one of them`;
  const { url } = options;
  const inUrl = typeof url === 'string' && (hasInUrl(new URL(url), 'username') || hasInUrl(new URL(url), 'password'));
  // node-redis would take those of the URL, and never ask the provider.
  return inUrl
    ? '"credentialsProvider" and the credentials in "url" both say how to log in; give one of them'
    : undefined;
}

function findRootNodeProblem(node: unknown, defaults: Options): string | undefined {
  if (!isObject(node)) return 'must be { url } or { socket: { host, port } }';
  const given = withoutUndefined(node);
  const problem = findClientProblem(given);
  if (problem) return `is wrong: ${problem}`;
  const socket = optionsIn(given, 'socket');
  if (!('url' in given) && !('host' in socket) && !('port' in socket))
    return 'says neither "url" nor, under "socket", "host" or "port"';
  // What stands here counts for finding the nodes only; to them node-redis would talk, and log in, by the defaults.
  const address = 'url' in given ? new URL(given['url'] as string) : undefined;
  const isSecure = address?.protocol === 'rediss:' || socket['tls'] === true;
  if (isSecure && optionsIn(defaults, 'socket')['tls'] !== true)
    return 'talks TLS, but the nodes found through it would not; give defaults: { socket: { tls: true } } as well';
  const logsIn = 'password' in given || 'credentialsProvider' in given || (address && hasInUrl(address, 'password'));
  if (logsIn && !('password' in defaults) && !('credentialsProvider' in defaults))
    return 'logs in, but the nodes found through it would not; give username and password under "defaults" instead';
  return undefined;
}

/** Whether the URL says that option too. */
function hasInUrl(address: URL, key: string): boolean {
  return (key === 'database' ? address.pathname.slice(1) : address[key as 'username' | 'password']) !== '';
}
