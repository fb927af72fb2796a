/** The option names of a type; of a union, those of every member. */
type NamesOf<O> = O extends unknown ? keyof O : never;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `true` for a type that accepts anything: `any`, `unknown`, `object`, `{}`. */
type IsOpen<O> = IsAny<O> extends true ? true : unknown extends O ? true : [NamesOf<O>] extends [never] ? true : false;

/** The object types of a union that may also have strings, numbers or functions in it. */
type ObjectsOf<O> = O extends object ? (O extends (...args: never[]) => unknown ? never : O) : never;

/**
 * Whether a type is that of an object literal. Only such types have an implicit index signature. The instance of a class,
 * such as a request handler, has none, and may have more properties than its interface.
 */
type IsLiteral<R> =
  IsAny<R> extends true
    ? false
    : R extends readonly unknown[]
      ? false
      : R extends Record<string, unknown>
        ? true
        : false;

/** The names of `R` that `O` does not have, each with the type `never`, which makes them compile errors. */
type Unknown<R, O> = R extends unknown
  ? {
      readonly [N in keyof R]: N extends NamesOf<O>
        ? Nested<R[N], O extends unknown ? (N extends keyof O ? O[N] : never) : never>
        : never;
    }
  : never;

type Nested<R, O> =
  true extends IsOpen<O>
    ? unknown
    : IsLiteral<Exclude<R, undefined>> extends true
      ? [ObjectsOf<O>] extends [never]
        ? unknown
        : Unknown<R, ObjectsOf<O>> | Extract<R, undefined>
      : unknown;

type Check<R, O> =
  IsAny<R> extends true ? unknown : R extends PromiseLike<infer V> ? PromiseLike<Check<V, O>> : Unknown<R, O>;

/**
 * What a factory of options `O` may return. Without `then?: never`, a promise of anything would pass for an `O` whose names
 * are all optional.
 */
export type OptionsOrPromise<O> = (O & { readonly then?: never }) | Promise<O>;

/**
 * What a factory of options `O` returns: `R`, or a compile error if `R`, or what it promises, has a name that `O` does not
 * have. TypeScript checks what a function returns for wrong values, but not for misspelt names.
 */
export type KnownOptions<R, O> = R & Check<R, O>;
