import { findBrokenRule, isBoolean, isFunction, isObject, isText, type Rule, type Rules } from '../definition/rules.js';

type Options = Readonly<Record<string, unknown>>;

const TEXT: Rule = [isText, 'must be a string, and not an empty one'];
const STRING: Rule = [(value) => typeof value === 'string', 'must be a string'];
const BOOLEAN: Rule = [isBoolean, 'must be true or false'];
const MILLISECONDS: Rule = [(value) => isNumber(value) && value >= 0, 'must be a number of milliseconds'];
const STRATEGY: Rule = [isFunction, 'must be a function that returns milliseconds, or null'];

/** What is most often wrong, mostly because a variable is missing or still a string. `null` stands for "not set". */
const RULES: Rules = {
  host: TEXT,
  port: [isPort, 'must be a whole number from 1 to 65535; convert an environment variable with Number()'],
  path: TEXT,
  sentinels: [isList, 'must be an array of { host, port }, and not an empty one'],
  name: TEXT,
  role: [(value) => value === 'master' || value === 'slave', `must be 'master' or 'slave'`],
  username: STRING,
  password: STRING,
  db: [
    (value) => isInteger(value) && value >= 0,
    'must be a whole number from 0; convert an environment variable with Number()',
  ],
  tls: [isObject, 'must be an object of TLS options; {} for the defaults'],
  connectTimeout: MILLISECONDS,
  commandTimeout: MILLISECONDS,
  socketTimeout: MILLISECONDS,
  disconnectTimeout: MILLISECONDS,
  maxRetriesPerRequest: [isInteger, 'must be a whole number, or null for no limit'],
  enableOfflineQueue: BOOLEAN,
  enableReadyCheck: BOOLEAN,
  enableAutoPipelining: BOOLEAN,
  retryStrategy: STRATEGY,
  clusterRetryStrategy: STRATEGY,
  redisOptions: [isObject, 'must be an object of options for the connections to the nodes'],
};

const WHERE = 'give "url", "host", "port", "path" or "sentinels"';

/** Says what is wrong with a client's options: which one, why and how to mend it; never its value. */
export function findRedisProblem(options: object): string | undefined {
  const given = getGiven(options);
  if ('nodes' in given) return '"nodes" belongs to a cluster; declare it with redisCluster()';
  return findUrlProblem(given) ?? findBrokenRule(given, RULES) ?? findAddressProblem(given);
}

/** Says what is wrong with a cluster's options: which one, why and how to mend it; never its value. */
export function findClusterProblem(options: object): string | undefined {
  const given = getGiven(options);
  const single = ['url', 'host', 'port', 'path', 'sentinels'].find((key) => key in given);
  if (single) return `"${single}" belongs to redisClient(); list the cluster's nodes under "nodes"`;
  const { nodes, redisOptions } = given;
  if (!isList(nodes)) return '"nodes" must be an array of { host, port } or URLs, and not an empty one';
  const shared = isObject(redisOptions) ? getGiven(redisOptions) : {};
  for (const [index, node] of nodes.entries()) {
    const problem = findNodeProblem(node, 'tls' in shared);
    if (problem) return `"nodes[${index}]" ${problem}`;
  }
  const problem = findBrokenRule(given, RULES);
  const broken = findBrokenRule(shared, RULES);
  return problem ?? (broken && `in "redisOptions", ${broken}`);
}

/** The options that are set: in ioredis's, `null` stands for "not set". */
function getGiven(options: object): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

function findUrlProblem(options: Options): string | undefined {
  const { url } = options;
  if (url === undefined) return undefined;
  const problem = describeUrl(url);
  if (problem) return `"url" ${problem}`;
  const rivals = ['host', 'path', 'sentinels', ...(new URL(url as string).port ? ['port'] : [])];
  const rival = rivals.find((key) => key in options);
  return rival && `"url" and "${rival}" both say where the server is; give one of them`;
}

function findAddressProblem(options: Options): string | undefined {
  if ('sentinels' in options && !('name' in options))
    return '"sentinels" needs "name", the name of the group that they watch';
  // ioredis would talk, and log in, in the clear.
  if ('sentinels' in options && 'tls' in options && !('enableTLSForSentinelMode' in options))
    return '"tls" counts beside "sentinels" only with enableTLSForSentinelMode: true';
  if (['url', 'host', 'port', 'path', 'sentinels'].some((key) => key in options)) return undefined;
  return `nothing says where the server is; ${WHERE}`;
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
  const given = getGiven(node);
  if (!('host' in given) && !('port' in given)) return 'says neither "host" nor "port"';
  const broken = findBrokenRule(given, RULES);
  return broken && `is wrong: ${broken}`;
}

function describeUrl(url: unknown): string | undefined {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) {
    return 'must be a string that starts with redis:// or rediss://; a Unix socket goes under "path"';
  }
  if (!URL.canParse(url)) return 'is not a valid URL; percent-encode special characters in user name and password';
  const { hostname, pathname } = new URL(url);
  if (!hostname) return 'names no host';
  if (!/^\/?\d*$/.test(pathname)) return 'must end with the number of a database, if with anything';
  return undefined;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

function isPort(value: unknown): boolean {
  return isInteger(value) && value >= 1 && value <= 65_535;
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}
