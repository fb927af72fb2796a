import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { findBrokenRule, isFunction, isObject, isText, type Rule } from '../definition/rules.js';

/** What is most often wrong, mostly because a variable is missing. A function is a provider: the SDK calls it. */
const RULES = {
  region: [(value) => isText(value) || isFunction(value), 'is not a region name or a function that returns one'],
  endpoint: [isEndpoint, 'is not an http:// or https:// URL'],
  credentials: [isCredentials, 'has no "accessKeyId" and "secretAccessKey", and is not a credential provider'],
  maxAttempts: [(value) => isCount(value) || isFunction(value), 'is not a whole number of at least 1'],
  retryMode: [(value) => isText(value) || isFunction(value), 'is not the name of a retry mode'],
  profile: [isText, 'is not the name of a profile'],
  requestHandler: [isObject, 'is not a request handler or its options'],
} satisfies { [K in keyof DynamoDBClientConfig]: Rule };

/** Says what is wrong with the SDK's options: which one and why; never its value. */
export function findConfigProblem(config: Readonly<DynamoDBClientConfig>): string | undefined {
  return findBrokenRule(config, RULES);
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
