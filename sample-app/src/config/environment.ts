import type { ConfigService } from '@nestjs/config';
import { z } from 'zod';

/** What the environment says. Checked once, at start; the app does not start on a wrong value. */
export const environment = z.preprocess(
  withoutEmpty,
  z.object({
    PORT: integer('PORT', { fallback: 3_000, min: 0, max: 65_535 }),
    HOST: z.string().default('127.0.0.1'),
    /** Where short links start. Default: the address that the request was sent to. */
    PUBLIC_URL: z.url('PUBLIC_URL must be a URL, such as https://go.example.com.').optional(),
    /** How many reverse proxies the app stands behind. */
    TRUST_PROXY: integer('TRUST_PROXY', { fallback: 0, min: 0, max: 10 }),

    // These messages do not repeat the value, which may hold a password.
    REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'REDIS_URL must be a URL, such as redis://localhost:6379.' }),
    /** Whether each workspace has a Redis inside this process, or a key prefix on the server of `REDIS_URL`. */
    WORKSPACES_IN_PROCESS: flag('WORKSPACES_IN_PROCESS'),
    DYNAMODB_ENDPOINT: z.url('DYNAMODB_ENDPOINT must be a URL, such as http://localhost:8000.'),
    AWS_REGION: z.string().optional(),
    AWS_DEFAULT_REGION: z.string().default('us-east-1'),
    LINKS_TABLE: z.string().default('links'),

    /** Requests that one address may send to one route within `RATE_LIMIT_TTL`. */
    RATE_LIMIT: integer('RATE_LIMIT', { fallback: 1_000, min: 1 }),
    /** Milliseconds. */
    RATE_LIMIT_TTL: integer('RATE_LIMIT_TTL', { fallback: 60_000, min: 1 }),

    METRICS: flag('METRICS'),
    /** Milliseconds from one export of the metrics to the next. */
    OTEL_METRIC_EXPORT_INTERVAL: integer('OTEL_METRIC_EXPORT_INTERVAL', { fallback: 10_000, min: 100 }),
  }),
);

export type Environment = z.infer<typeof environment>;

/** `config.get('PORT', { infer: true })` is a number: the values are those that the schema returns. */
export type AppConfig = ConfigService<Environment, true>;

/** A variable that is set to nothing counts as not set. */
function withoutEmpty(env: unknown): unknown {
  return Object.fromEntries(Object.entries(env as NodeJS.ProcessEnv).filter(([, value]) => value !== ''));
}

function integer(name: string, { fallback, min, max = Number.MAX_SAFE_INTEGER }: IntegerRange) {
  return z
    .string()
    .refine((value) => /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max, {
      error: ({ input }) => `${name} must be an integer from ${min} to ${max}, not "${String(input)}".`,
    })
    .transform(Number)
    .default(fallback);
}

function flag(name: string) {
  return z
    .enum(['0', '1'], `${name} must be 1 (on) or 0 (off).`)
    .transform((value) => value === '1')
    .default(false);
}

interface IntegerRange {
  fallback: number;
  min: number;
  max?: number;
}
