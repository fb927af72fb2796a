import {
  findBrokenRule,
  isFunction,
  isObject,
  isText,
  wholeNumber,
  type Rule,
  type Rules,
} from '../definition/rules.js';

/** What is most often wrong, mostly because a variable is missing. */
const RULES: Rules = {
  region: orProvider([isRegion, 'is not a region name or a function that returns one']),
  endpoint: orProvider([isEndpoint, 'is not an http:// or https:// URL']),
  credentials: orProvider([
    isCredentials,
    'has no "accessKeyId" and "secretAccessKey", and is not a credential provider',
  ]),
  maxAttempts: orProvider(wholeNumber(1)),
  retryMode: orProvider([isText, 'is not the name of a retry mode']),
  profile: [isText, 'is not the name of a profile'],
  requestHandler: [isObject, 'is not a request handler or its options'],
};

/** Says what is wrong with the options that all of the SDK's clients have: which one and why; never its value. */
export function findConfigProblem(config: object): string | undefined {
  return findBrokenRule(config, RULES);
}

/** The SDK takes the value itself, or a function that it calls for the value. */
function orProvider([isValid, problem]: Rule): Rule {
  return [(value) => isFunction(value) || isValid(value), problem];
}

/** It becomes part of a host name. `*` stands for all regions. */
function isRegion(value: unknown): boolean {
  return isText(value) && /^([a-z\d]([a-z\d-]{0,61}[a-z\d])?|\*)$/i.test(value);
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'string') return isObject(value);
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function isCredentials(value: unknown): boolean {
  return isObject(value) && isText(value['accessKeyId']) && isText(value['secretAccessKey']);
}
