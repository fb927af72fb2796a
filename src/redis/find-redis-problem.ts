import {
  BOOLEAN,
  findBrokenRule,
  isFunction,
  isList,
  isObject,
  isPort,
  MILLISECONDS,
  oneOf,
  PORT,
  STRING,
  TEXT,
  wholeNumber,
  type Options,
  type Rule,
  type Rules,
} from '../definition/rules.js';
import { describeRedisUrl } from '../redis-url.js';

const STRATEGY: Rule = [isFunction, 'must be a function that returns milliseconds, or null'];

/** What is most often wrong, mostly because a variable is missing or still a string. `null` stands for "not set". */
const RULES: Rules = {
  host: TEXT,
  port: PORT,
  path: TEXT,
  sentinels: [isList, 'must be an array of { host, port }, and not an empty one'],
  name: TEXT,
  role: oneOf('master', 'slave'),
  username: STRING,
  password: STRING,
  credentials: [isFunction, 'must be a function that returns a promise of { username?, password, expiresAt? }'],
  db: wholeNumber(0),
  tls: [isObject, 'must be an object of TLS options; {} for the defaults'],
  connectTimeout: MILLISECONDS,
  commandTimeout: MILLISECONDS,
  socketTimeout: MILLISECONDS,
  disconnectTimeout: MILLISECONDS,
  maxRetriesPerRequest: [Number.isInteger, 'must be a whole number, or null for no limit'],
  enableOfflineQueue: BOOLEAN,
  enableReadyCheck: BOOLEAN,
  enableAutoPipelining: BOOLEAN,
  retryStrategy: STRATEGY,
  clusterRetryStrategy: STRATEGY,
  redisOptions: [isObject, 'must be an object of options for the connections to the nodes'],
};

/** What says where a server is. */
const ADDRESS = ['url', 'host', 'port', 'path', 'sentinels'];
const WHERE = 'give "url", "host", "port", "path" or "sentinels"';

/**
 * Says what is wrong with a client's options: which one, why and how to mend it; never its value.
 *
 * @param origin where they come from, as the beginning of a clause
 */
export function findRedisProblem(options: object, origin?: string): string | undefined {
  const given = withoutUnset(options);
  if ('nodes' in given) return '"nodes" belongs to a cluster; declare it with redisCluster()';
  return (
    findUrlProblem(given) ??
    findBrokenRule(given, RULES) ??
    findLoginProblem(given) ??
    findAddressProblem(given, describeUnset(options, ADDRESS, origin))
  );
}

/** Says what is wrong with the options of a connection that takes the rest from another client; never a value. */
export function findDuplicateProblem(options: object): string | undefined {
  const given = withoutUnset(options);
  const own = [...ADDRESS, 'nodes', 'username', 'password', 'credentials'].find((key) => key in given);
  if (own) return `"${own}" is that of the client named in "from"; for another one declare a redisClient()`;
  return findBrokenRule(given, RULES);
}

/**
 * Says what is wrong with a cluster's options: which one, why and how to mend it; never its value.
 *
 * @param origin where they come from, as the beginning of a clause
 */
export function findClusterProblem(options: object, origin?: string): string | undefined {
  const given = withoutUnset(options);
  const single = ADDRESS.find((key) => key in given);
  if (single) return `"${single}" belongs to redisClient(); list the cluster's nodes under "nodes"`;
  const { nodes, redisOptions } = given;
  if (!isList(nodes)) {
    const unset = describeUnset(options, ['nodes'], origin);
    return `"nodes" must be an array of { host, port } or URLs, and not an empty one${unset && `:${unset}`}`;
  }
  const shared: Options = isObject(redisOptions) ? withoutUnset(redisOptions) : {};
  for (const [index, node] of nodes.entries()) {
    const problem = findNodeProblem(node, 'tls' in shared);
    if (problem) return `"nodes[${index}]" ${problem}`;
  }
  const problem = findBrokenRule(given, RULES);
  const broken = findBrokenRule(shared, RULES);
  return problem ?? (broken && `in "redisOptions", ${broken}`) ?? findClusterLoginProblem(given, shared, nodes);
}

/** The options that are set: in ioredis's, `null` stands for "not set". */
function withoutUnset(options: object): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

function findUrlProblem(options: Options): string | undefined {
  const { url } = options;
  if (url === undefined) return undefined;
  if (url === '') return '"url" is empty; perhaps a variable is not set';
  const problem = describeUrl(url);
  if (problem) return `"url" ${problem}`;
  const rivals = ['host', 'path', 'sentinels', ...(new URL(url as string).port ? ['port'] : [])];
  const rival = rivals.find((key) => key in options);
  return rival && `"url" and "${rival}" both say where the server is; give one of them`;
}

/** Names what says where the server is and is set, but to nothing: mostly the value of a variable that is missing. */
function describeUnset(options: object, keys: readonly string[], origin = 'the options say'): string {
  const key = keys.find((name) => Object.hasOwn(options, name));
  if (key === undefined) return '';
  const value: unknown = Reflect.get(options, key);
  return value === undefined || value === null ? ` ${origin} ${key}: ${String(value)}; is a variable not set?` : '';
}

/** What says how to log in must be said once. */
function findLoginProblem({ url, password, credentials }: Options): string | undefined {
  if (credentials === undefined) return undefined;
  if (password !== undefined) return '"credentials" and "password" both say how to log in; give one of them';
  if (typeof url === 'string' && hasPassword(url))
    return '"credentials" and the password in "url" both say how to log in; give one of them';
  return undefined;
}

function findClusterLoginProblem(given: Options, shared: Options, nodes: readonly unknown[]): string | undefined {
  const inner = [
    ['redisOptions', shared] as const,
    ...nodes.map((node, index) => [`nodes[${index}]`, isObject(node) ? withoutUnset(node) : {}] as const),
  ];
  const misplaced = inner.find(([, options]) => 'credentials' in options);
  if (misplaced)
    return `"credentials" stands in "${misplaced[0]}"; it belongs beside "nodes", and counts for all of them`;
  if (!('credentials' in given)) return undefined;
  const problem = findLoginProblem(given);
  if (problem) return problem;
  const rival = inner.find(([, options]) => 'password' in options);
  if (rival) return `"credentials" and "password" in "${rival[0]}" both say how to log in; give one of them`;
  const index = nodes.findIndex((node) => typeof node === 'string' && hasPassword(node));
  return index === -1
    ? undefined
    : `"credentials" and the password in "nodes[${index}]" both say how to log in; give one of them`;
}

function findAddressProblem(options: Options, unset: string): string | undefined {
  if ('sentinels' in options && !('name' in options))
    return '"sentinels" needs "name", the name of the group that they watch';
  // ioredis would talk, and log in, in the clear.
  if ('sentinels' in options && 'tls' in options && !('enableTLSForSentinelMode' in options))
    return '"tls" counts beside "sentinels" only with enableTLSForSentinelMode: true';
  if (ADDRESS.some((key) => key in options)) return undefined;
  return unset ? `nothing says where the server is:${unset} Or ${WHERE}` : `nothing says where the server is; ${WHERE}`;
}

function findNodeProblem(node: unknown, tls: boolean): string | undefined {
  if (typeof node === 'string') {
    // ioredis reads "rediss:" as TLS for a single server only; to a node it would talk, and log in, in the clear.
    const problem = describeUrl(node);
    if (problem || !node.startsWith('rediss:') || tls) return problem;
    return 'is a rediss:// URL; for TLS give redisOptions: { tls: {} } as well';
  }
  if (typeof node === 'number') return isPort(node) ? undefined : 'is not a port from 1 to 65535';
  if (!isObject(node)) return 'must be { host, port } or a URL';
  const given = withoutUnset(node);
  if (!('host' in given) && !('port' in given)) return 'says neither "host" nor "port"';
  const broken = findBrokenRule(given, RULES);
  return broken && `is wrong: ${broken}`;
}

function describeUrl(url: unknown): string | undefined {
  return describeRedisUrl(url, '"path"');
}

/** ioredis takes options from a URL's query too. */
function hasPassword(url: string): boolean {
  const { password, searchParams } = new URL(url);
  return password !== '' || searchParams.has('password');
}
