import { randomBytes } from 'node:crypto';

/** Six random bytes in base64url: eight characters, 2^48 of them. */
export function createSlug(): string {
  return randomBytes(6).toString('base64url');
}

export function isSlug(value: string): boolean {
  return /^[\w-]{8}$/.test(value);
}
