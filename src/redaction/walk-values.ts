/** A value and its name: the key of a property or of a Map, else ''. */
export interface NamedValue {
  readonly name: string;
  /** Undefined if it has a getter, which is not called. */
  readonly value: unknown;
  readonly isComputed?: boolean;
}

/** In a list of headers or arguments, a value follows its name: ['Authorization', 'Bearer …']. */
const HEADER = /^(?:(?:proxy-)?authorization|(?:set-)?cookie|auth|x-[\w-]{0,64}(?:key|token|secret))$/i;
/** Longer arrays are not searched for properties beside their items, since listing these takes too long. */
const MOST_ITEMS = 10_000;

/** More bytes of a Buffer are not read; keys and certificates are smaller. */
const MOST_BYTES = 65_536;

/** An object's own properties and, for Maps and Sets, their items. */
export function* membersOf(value: object): Generator<NamedValue> {
  if (value instanceof Map) {
    for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
      if (typeof key === 'object' && key !== null) {
        yield { name: '', value: key };
        yield { name: '', value: item };
      } else yield { name: String(key), value: item };
    }
  } else if (value instanceof Set) {
    for (const item of Set.prototype.values.call(value)) yield { name: '', value: item };
  } else if (ArrayBuffer.isView(value)) {
    return; // numbers, by the million
  } else if (Array.isArray(value)) {
    let before: unknown;
    for (let index = 0; index < value.length; index += 1) {
      const item = ownMember(value, index, typeof before === 'string' && HEADER.test(before) ? before : '');
      yield item;
      before = item.value;
    }
    if (value.length > MOST_ITEMS) return;
  }
  for (const key of Reflect.ownKeys(value)) {
    if (Array.isArray(value) && typeof key === 'string' && /^(?:\d+|length)$/.test(key)) continue;
    yield ownMember(value, key, String(key));
  }
}

function ownMember(object: object, key: PropertyKey, name: string): NamedValue {
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property?.get ? { name, value: undefined, isComputed: true } : { name, value: property?.value };
}

/**
 * Calls `visit` for each text and number in `root`, with its name. If the name of an object around it matches `inherited`,
 * that name is passed instead. Less nested values come first, and at most `most` values are visited.
 */
export function walkValues(
  root: unknown,
  most: number,
  inherited: RegExp | undefined,
  visit: (value: string | number, name: string) => void,
): void {
  const seen = new Set<object>();
  const waiting: NamedValue[] = [{ name: '', value: root }];
  let left = most;
  for (const { name, value } of waiting) {
    if (typeof value === 'number' || typeof value === 'string') visit(value, name);
    else if (typeof value === 'bigint') visit(String(value), name);
    else if (value instanceof URL) visit(value.href, name);
    else if (value instanceof Uint8Array) visit(Buffer.from(value.subarray(0, MOST_BYTES)).toString(), name);
    else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      const isInherited = inherited?.test(name);
      for (const member of membersOf(value)) {
        if ((left -= 1) < 0) break;
        waiting.push(isInherited ? { name, value: member.value } : member);
      }
    }
  }
}
