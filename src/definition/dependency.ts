import type { ForwardReference, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';

/**
 * An item of an `inject` array, as in Nest's own: a token, `{ token, optional: true }`, or `forwardRef(() => Token)`.
 *
 * @example
 * const inject: Dependency[] = [ConfigService, { token: 'TRACER', optional: true }, forwardRef(() => UsersService)];
 */
export type Dependency = InjectionToken | OptionalFactoryDependency | ForwardReference;

type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * The type of what Nest injects for a token. For a class, abstract or not, that is its instance type. It is read from
 * `prototype` first, where the parameters of a generic class are open. A string or symbol has no type to infer.
 */
type ValueOf<D> = D extends { readonly token: infer K }
  ? ValueOf<K> | (D extends { readonly optional: false } ? never : undefined)
  : D extends { readonly forwardRef: infer F }
    ? IsAny<F> extends true
      ? F // Nest's own forwardRef() loses the type
      : F extends () => infer K
        ? ValueOf<K>
        : unknown
    : D extends { readonly prototype: infer P }
      ? IsAny<P> extends true
        ? D extends abstract new (...args: never[]) => infer V
          ? V
          : unknown
        : P
      : unknown;

/** The parameter types that an `inject` array means for the function beside it, in order. */
export type InjectedValues<I extends readonly Dependency[]> = number extends I['length']
  ? unknown[]
  : { -readonly [K in keyof I]: ValueOf<I[K]> };

/** A token from an `inject` array, and whether it may be missing. */
export interface ResolvedDependency {
  readonly token: InjectionToken | undefined;
  readonly isOptional: boolean;
}

/**
 * Unwraps `{ token, optional }` and `forwardRef()`. The token is `undefined` while a circular import has not assigned it
 * yet.
 */
export function resolveDependency(dependency: unknown): ResolvedDependency {
  let token = dependency;
  let isOptional = false;
  while (typeof token === 'object' && token !== null) {
    if ('forwardRef' in token) token = readForwardReference(token);
    else if ('token' in token) {
      isOptional ||= 'optional' in token && token.optional === true;
      token = token.token;
    } else break;
  }
  return { token: (token ?? undefined) as InjectionToken | undefined, isOptional };
}

function readForwardReference({ forwardRef }: ForwardReference<unknown>): unknown {
  if (typeof forwardRef !== 'function') return undefined;
  try {
    return forwardRef();
  } catch (error) {
    if (error instanceof ReferenceError) return undefined; // a class from a circular import, read before its declaration has run
    throw error;
  }
}
