import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { asModule } from '../../decorate.mjs';
import { DYNAMODB } from '../../settings.mjs';
import { declare as declareRedis } from '../redis/hand-written.mjs';

const dynamodbModule = () => ({
  module: asModule({}, class DynamoDBModule {}),
  global: true,
  providers: [{ provide: 'DYNAMODB', useFactory: () => new DynamoDBClient(DYNAMODB) }],
  exports: ['DYNAMODB'],
});

export function declare() {
  const redis = declareRedis();
  return { ...redis, imports: [...redis.imports, dynamodbModule()] };
}
