import { Injectable } from '@nestjs/common';

const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** What the environment says, checked once, at start. */
@Injectable()
export class AppConfig {
  private readonly env = process.env;

  readonly port = this.integer('PORT', { fallback: 3000, min: 0, max: 65_535 });
  readonly host = this.env['HOST'] || '127.0.0.1';
  /** Where short links start. Default: the host that the request was sent to. */
  readonly publicUrl = this.env['PUBLIC_URL'] || undefined;

  readonly redisUrl = this.required('REDIS_URL');
  readonly dynamoDBEndpoint = this.required('DYNAMODB_ENDPOINT');
  /** For a local server, which takes any; otherwise the SDK finds the account's own. */
  readonly awsCredentials = this.dynamoDBEndpoint.startsWith('http:') ? LOCAL_CREDENTIALS : undefined;
  readonly awsRegion = this.env['AWS_REGION'] || this.env['AWS_DEFAULT_REGION'] || 'us-east-1';
  readonly linksTable = this.env['LINKS_TABLE'] || 'links';

  /** Requests that one address may send to one route within `rateLimitTtl`. */
  readonly rateLimit = this.integer('RATE_LIMIT', { fallback: 1_000, min: 1 });
  /** Milliseconds. */
  readonly rateLimitTtl = this.integer('RATE_LIMIT_TTL', { fallback: 60_000, min: 1 });

  private required(name: string): string {
    const value = this.env[name];
    if (!value) throw new Error(`${name} is not set.`);
    return value;
  }

  private integer(name: string, { fallback, min, max = Number.MAX_SAFE_INTEGER }: IntegerRange): number {
    const value = this.env[name];
    if (!value) return fallback;
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new Error(`${name} must be an integer from ${min} to ${max}, not "${value}".`);
  }
}

interface IntegerRange {
  fallback: number;
  min: number;
  max?: number;
}
