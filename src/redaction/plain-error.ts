import { membersOf } from './walk-values.js';
import { CERTAIN_NAME, TELLING_NAME } from './telling-names.js';

/** An error that holds more values or characters, or holds them deeper, is copied rather than searched. */
const MOST_VALUES = 500;
const MOST_CHARACTERS = 16_000;
const DEEPEST = 20;
/** Separates the values, so that no pattern or secret matches across two of them. */
const SEPARATOR = '\n\0\n';

const PLAIN: (object | null)[] = [null, Object.prototype, Map.prototype, Set.prototype, Date.prototype];

/**
 * Objects that were too large to search. They are not searched again: an object with a million properties takes
 * long even to list. If one has shrunk since, its error is copied needlessly, which does no harm.
 */
const tooLarge = new WeakSet<object>();

/**
 * Everything that `inspect` and `JSON.stringify` can print of an error, as one text. Undefined if it is not plain data, if it
 * is too much, or if something stands under a telling name, such as `password`.
 */
export function printedText(root: Error): string | undefined {
  const texts = new Set<string>();
  const seen = new Set<object>();
  let values = 0;
  let characters = 0;

  const print = (text: string): boolean => {
    if (texts.has(text)) return true;
    texts.add(text);
    characters += text.length + SEPARATOR.length;
    return characters <= MOST_CHARACTERS;
  };

  const printObject = (value: object, under: string, depth: number): boolean => {
    if (tooLarge.has(value) || depth > DEEPEST) return false;
    seen.add(value);
    if (!isPlainData(value) || isAuthentication(value)) return false;
    if (value instanceof Error && ![value.name, value.message, value.stack].every((text) => visit(text, '', depth))) {
      return false;
    }
    for (const { name, value: member, isComputed } of membersOf(value)) {
      if (isComputed && name !== 'stack') return false; // V8 makes `stack` an accessor
      if (!print(name) || !visit(member, TELLING_NAME.test(under) ? under : name, depth + 1)) return false;
    }
    return true;
  };

  const visit = (value: unknown, name: string, depth: number): boolean => {
    if ((values += 1) > MOST_VALUES) return false;
    switch (typeof value) {
      case 'function':
        return false;
      case 'string':
        return value === '' || (!TELLING_NAME.test(name) && print(value));
      case 'number':
      case 'bigint':
        return !CERTAIN_NAME.test(name) && print(String(value));
      case 'symbol':
        return print(String(value));
      default:
        if (typeof value !== 'object' || value === null || seen.has(value)) return true;
        if (printObject(value, name, depth)) return true;
        if (values > MOST_VALUES || characters > MOST_CHARACTERS) tooLarge.add(value);
        return false;
    }
  };

  return visit(root, '', 0) ? [...texts].join(SEPARATOR) : undefined;
}

/** Whether printing the object shows just its data, with no `toJSON`, custom inspection or the like. */
function isPlainData(value: object): boolean {
  if ('toJSON' in value && !(value instanceof Date)) return false;
  if (Symbol.for('nodejs.util.inspect.custom') in value) return false;
  if (value instanceof Error) return Reflect.get(value, 'toString') === Reflect.get(Error.prototype, 'toString');
  if (Array.isArray(value)) return true;
  return PLAIN.includes(Object.getPrototypeOf(value) as object | null);
}

/** An ioredis command that carries a password in its arguments. */
function isAuthentication(value: object): boolean {
  return 'args' in value && 'name' in value && (value.name === 'auth' || value.name === 'hello');
}
