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
  credentials: [isFunction, 'must be a function that returns a promise of { username?, password, expiresAt? }'],
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
  const rival = inner.find(([, options]) => 'password' in options);
  if (rival) return `"credentials" and "password" in "${rival[0]}" both say how to log in; give one of them`;
  const index = nodes.findIndex((node) => typeof node === 'string' && hasPassword(node));
  return index === -1
    ? undefined
    : `"credentials" and the password in "nodes[${index}]" both say how to log in; give one of them`;
}

/** ioredis takes options from a URL's query too. */
function hasPassword(url: string): boolean {
  const { password, searchParams } = new URL(url);
  return password !== '' || searchParams.has('password');
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
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) {
    return 'must be a string that starts with redis:// or rediss://; a Unix socket goes under "path"';
  }
  if (!URL.canParse(url)) return describeBrokenUrl(url);
  const { hostname, port, pathname, username, password } = new URL(url);
  if (!hostname) return 'names no host';
  if (port === '0') return WRONG_PORT;
  if (![username, password].every(isDecodable)) return WRONG_ESCAPE;
  if (!/^\/?\d*$/.test(pathname)) return 'must end with the number of a database, if with anything';
  return undefined;
}

const WRONG_PORT = 'must have a port from 1 to 65535, or none for 6379';
const WRONG_ESCAPE =
  'has a "%" in its user name or password that begins no percent-encoded character; a "%" itself is written as %25';

/** What is wrong with a URL that cannot be parsed, as far as it can be told. */
function describeBrokenUrl(url: string): string {
  const [authority = '', ...rest] = url.replace(/^rediss?:\/\//, '').split(/(?=[/?#])/);
  // The end of the user name and password, after a character that ends the host unless it is percent-encoded.
  if (rest.some((part) => part.includes('@'))) {
    return 'is not a valid URL; percent-encode special characters in user name and password, such as "/" as %2F and "#" as %23';
  }
  const [, host = '', port] = /^(.*?)(?::([^:\]]*))?$/.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? [];
  if (host === '') return 'names no host';
  if (port !== undefined && !isPort(Number(port))) return WRONG_PORT;
  return 'is not a valid URL: its host is none';
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
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
