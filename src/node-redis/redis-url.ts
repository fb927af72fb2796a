import { isPort } from '../definition/rules.js';

/** Says what is wrong with the URL of a server. Never repeats any of it. */
export function describeUrl(url: unknown): string | undefined {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) {
    return 'must be a string that starts with redis:// or rediss://; a Unix socket goes under "socket": { path }';
  }
  const port = /:(\d+)(?:[/?#]|$)/.exec(url.slice(url.lastIndexOf('@') + 1).replace(/^rediss?:\/\//, ''))?.[1];
  if (port !== undefined && !isPort(Number(port))) return 'must have a port from 1 to 65535, if any';
  if (!URL.canParse(url)) return 'is not a valid URL; percent-encode special characters in user name and password';
  const { hostname, pathname, username, password } = new URL(url);
  if (!hostname) return 'names no host';
  if (!/^\/?\d*$/.test(pathname)) return 'must end with the number of a database, if with anything';
  try {
    decodeURIComponent(username + password);
  } catch {
    return 'has a "%" in user name or password that encodes nothing; write %25';
  }
  return undefined;
}

/** Whether the URL says that option too. */
export function hasInUrl(address: URL, key: string): boolean {
  return (key === 'database' ? address.pathname.slice(1) : address[key as 'username' | 'password']) !== '';
}
