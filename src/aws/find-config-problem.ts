import { findBrokenRule, isFunction, isObject, isText, type Rules } from '../definition/rules.js';

/** What is most often wrong, mostly because a variable is missing. A function is a provider: the SDK calls it. */
const RULES: Rules = {
  region: [(value) => isRegion(value) || isFunction(value), 'is not a region name or a function that returns one'],
  endpoint: [isEndpoint, 'is not an http:// or https:// URL'],
  credentials: [isCredentials, 'has no "accessKeyId" and "secretAccessKey", and is not a credential provider'],
  maxAttempts: [(value) => isCount(value) || isFunction(value), 'is not a whole number of at least 1'],
  retryMode: [(value) => isText(value) || isFunction(value), 'is not the name of a retry mode'],
  profile: [isText, 'is not the name of a profile'],
  requestHandler: [isObject, 'is not a request handler or its options'],
};

/** Says what is wrong with the options that all of the SDK's clients have: which one and why; never its value. */
export function findConfigProblem(config: object): string | undefined {
  return findBrokenRule(config, RULES);
}

/** It becomes part of a host name. `*` stands for all regions. */
function isRegion(value: unknown): boolean {
  return isText(value) && /^([a-z\d]([a-z\d-]{0,61}[a-z\d])?|\*)$/i.test(value);
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'string') return isObject(value) || isFunction(value);
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function isCredentials(value: unknown): boolean {
  if (isFunction(value)) return true;
  return isObject(value) && isText(value['accessKeyId']) && isText(value['secretAccessKey']);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1;
}
