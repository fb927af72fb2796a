/** Factory providers that import their SDK when they run. */
import { asModule } from '../../decorate.mjs';
import { DYNAMODB, REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [
    {
      module: asModule({}, class HandWrittenModule {}),
      global: true,
      providers: [
        {
          provide: 'REDIS',
          useFactory: async () => {
            const { Redis } = await import('ioredis');
            return new Redis(REDIS_URL);
          },
        },
        {
          provide: 'DYNAMODB',
          useFactory: async () => {
            const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
            return new DynamoDBClient(DYNAMODB);
          },
        },
      ],
      exports: ['REDIS', 'DYNAMODB'],
    },
  ],
  inject: ['REDIS', 'DYNAMODB'],
  pick: (redis, dynamodb) => (dynamodb ? redis : undefined),
});
