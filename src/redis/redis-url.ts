import { isPort } from '../definition/rules.js';

const WRONG_PORT = 'must have a port from 1 to 65535, or none for 6379';
const WRONG_ESCAPE =
  'has a "%" in its user name or password that begins no percent-encoded character; a "%" itself is written as %25';

/** Says what is wrong with a URL of `redis://` or `rediss://`. Never repeats any of it. */
export function describeUrl(url: unknown): string | undefined {
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

/** ioredis takes options from a URL's query too. */
export function hasPassword(url: string): boolean {
  const { password, searchParams } = new URL(url);
  return password !== '' || searchParams.has('password');
}
