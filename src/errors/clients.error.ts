import { describeKey } from './describe-key.js';

/** The code of a `ClientsError`. Codes are stable: match on them rather than on messages. */
export type ClientsErrorCode =
  | 'CLIENTS_INVALID_OPTIONS'
  | 'CLIENTS_DUPLICATE'
  | 'CLIENTS_UNKNOWN'
  | 'CLIENTS_MISSING_PACKAGE'
  | 'CLIENTS_CREATE_FAILED'
  | 'CLIENTS_CREATE_TIMEOUT'
  | 'CLIENTS_CLOSED'
  | 'CLIENTS_CLOSE_FAILED'
  | 'CLIENTS_EXHAUSTED';

/** Marks errors of this package, so that every copy of it recognises them. */
const BRAND = Symbol.for('nestjs-clients:error');

/**
 * The base class of every error of this library. The message names the client, and says what failed and how to fix it.
 * `cause` is the underlying error. None of them contains a credential.
 */
export abstract class ClientsError extends Error {
  /** @internal The code of a class's instances. */
  static readonly code?: ClientsErrorCode;

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** Errors of another copy of the package are instances too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
    if (this === ClientsError) return true;
    return Object.hasOwn(this, 'code') && 'code' in value && value.code === this.code;
  }

  abstract readonly code: ClientsErrorCode;
  /** The name of the client that it is about, if it is about one. */
  declare readonly client?: string;
  /** The key, if the error is about a keyed client. */
  declare readonly key?: string;

  /** @internal The same error, which says which key of the keyed clients of that name it is about. */
  ofKey(key: string, client: string): this {
    if (this.key !== undefined) return this;
    const subject = `Client "${client}"`;
    const named = `${subject} (key ${describeKey(key)})`;
    const message = this.message.includes(subject)
      ? this.message.replace(subject, () => named)
      : `${named}: ${this.message}`;
    return Object.assign(this, { key, message });
  }

  override get name(): string {
    return this.constructor.name;
  }
}
