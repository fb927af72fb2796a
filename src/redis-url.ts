import { isPort } from './definition/rules.js';

const WRONG_PORT = 'must have a port from 1 to 65535, or none for 6379';
const WRONG_ESCAPE =
  'has a "%" in its user name or password that begins no percent-encoded character; a "%" itself is written as %25';
const UNESCAPED =
  'is not a valid URL; percent-encode special characters in user name and password, such as "/" as %2F and "#" as %23';

/**
 * Says what is wrong with a URL of `redis://` or `rediss://`. Never repeats any of it.
 *
 * @param unixSocket where the options take the path of a Unix socket instead
 */
export function describeRedisUrl(url: unknown, unixSocket: string): string | undefined {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) {
    return `must be a string that starts with redis:// or rediss://; a Unix socket goes under ${unixSocket}`;
  }
  const [, authority = '', rest = ''] = /^rediss?:\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  if (!URL.canParse(url)) return rest.includes('@') ? UNESCAPED : describeAuthority(authority);
  // In redis://user:12#x@host, "user" would be taken for the host. A query may have an "@" in a value.
  if (/^[^=]*@/.test(rest)) return UNESCAPED;
  const { hostname, port, pathname, username, password } = new URL(url);
  if (!hostname) return 'names no host';
  if (port === '0') return WRONG_PORT;
  if (![username, password].every(isDecodable)) return WRONG_ESCAPE;
  if (!/^\/?\d*$/.test(pathname)) return 'must end with the number of a database, if with anything';
  return undefined;
}

/** Why user name, password, host and port cannot be parsed, as far as it can be told. */
function describeAuthority(authority: string): string {
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
