import type { ForwardReference, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';

/**
 * What stands in an `inject` array, as in Nest's own: a token, `{ token, optional: true }`, or `forwardRef(() => Token)`.
 *
 * @example
 * const inject: Dependency[] = [ConfigService, { token: 'TRACER', optional: true }, forwardRef(() => UsersService)];
 */
export type Dependency = InjectionToken | OptionalFactoryDependency | ForwardReference;

type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * What Nest injects for a token. A class gives its instances, abstract or not; its `prototype` is asked first, because for a
 * generic class that is open in its parameters. A string or symbol tells nothing.
 */
type ValueOf<D> = D extends { readonly token: infer K }
  ? ValueOf<K> | (D extends { readonly optional: false } ? never : undefined)
  : D extends { readonly forwardRef: infer F }
    ? IsAny<F> extends true
      ? F // Nest's own forwardRef() forgets the type
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

/** What an `inject` array gives to the function beside it, in order. */
export type InjectedValues<I extends readonly Dependency[]> = number extends I['length']
  ? unknown[]
  : { -readonly [K in keyof I]: ValueOf<I[K]> };

/** A token out of an `inject` array, and whether it may be missing. */
export interface ResolvedDependency {
  readonly token: InjectionToken | undefined;
  readonly isOptional: boolean;
}

/**
 * Looks through `{ token, optional }` and `forwardRef()`. The token is `undefined` where a circular import has not given it
 * a value yet.
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
    if (error instanceof ReferenceError) return undefined; // a class of a circular import, before its declaration has run
    throw error;
  }
}
