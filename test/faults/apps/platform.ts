import type { AbstractHttpAdapter } from '@nestjs/core';

/** What serves HTTP under Nest. */
export const PLATFORMS = ['Express', 'Fastify'] as const;

export type Platform = (typeof PLATFORMS)[number];

/** Loads that one only. */
export async function createAdapter(platform: Platform): Promise<AbstractHttpAdapter> {
  if (platform === 'Express') return new (await import('@nestjs/platform-express')).ExpressAdapter();
  return new (await import('@nestjs/platform-fastify')).FastifyAdapter() as AbstractHttpAdapter;
}
