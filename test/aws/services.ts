import { DynamoDB, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, Lambda, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNS, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQS, SQSClient } from '@aws-sdk/client-sqs';
import { awsClient } from '../../src/aws/index.js';
import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { dynamoDBClient } from '../../src/dynamodb/index.js';

type Options = Pick<DynamoDBClientOptions, 'endpoint' | 'region' | 'credentials' | 'maxAttempts' | 'requestHandler'>;
type DynamoDBClientOptions = NonNullable<ConstructorParameters<typeof DynamoDBClient>[0]>;

/** A service, and a request of it that must not be carried out twice. */
export interface Service {
  readonly title: string;
  /** As the server names it. */
  readonly operation: string;
  readonly declare: (options: Options) => ClientDefinition<{ destroy(): void }>;
  /** Sends a request that is about `subject`. */
  readonly send: (client: unknown, subject: string) => Promise<unknown>;
}

const QueueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/jobs';

export const SERVICES: readonly Service[] = [
  {
    title: 'S3',
    operation: 'S3.PutObject',
    declare: (options) => awsClient(async () => S3Client, { ...options, forcePathStyle: true }),
    send: (client, Key) => (client as S3Client).send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'text' })),
  },
  {
    title: 'S3, aggregated',
    operation: 'S3.PutObject',
    declare: (options) => awsClient(async () => S3, { ...options, forcePathStyle: true }),
    send: (client, Key) => (client as S3).putObject({ Bucket: 'bucket', Key, Body: 'text' }),
  },
  {
    title: 'SQS',
    operation: 'SQS.SendMessage',
    declare: (options) => awsClient(async () => SQSClient, { ...options, useQueueUrlAsEndpoint: false }),
    send: (client, MessageBody) => (client as SQSClient).send(new SendMessageCommand({ QueueUrl, MessageBody })),
  },
  {
    title: 'SQS, aggregated',
    operation: 'SQS.SendMessage',
    declare: (options) => awsClient(async () => SQS, { ...options, useQueueUrlAsEndpoint: false }),
    send: (client, MessageBody) => (client as SQS).sendMessage({ QueueUrl, MessageBody }),
  },
  {
    title: 'SNS',
    operation: 'SNS.Publish',
    declare: (options) => awsClient(async () => SNSClient, options),
    send: (client, Message) =>
      (client as SNSClient).send(new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:1:topic', Message })),
  },
  {
    title: 'SNS, aggregated',
    operation: 'SNS.Publish',
    declare: (options) => awsClient(async () => SNS, options),
    send: (client, Message) => (client as SNS).publish({ TopicArn: 'arn:aws:sns:eu-west-1:1:topic', Message }),
  },
  {
    title: 'Lambda',
    operation: 'Lambda.Invoke',
    declare: (options) => awsClient(async () => LambdaClient, options),
    send: (client, FunctionName) => (client as LambdaClient).send(new InvokeCommand({ FunctionName })),
  },
  {
    title: 'Lambda, aggregated',
    operation: 'Lambda.Invoke',
    declare: (options) => awsClient(async () => Lambda, options),
    send: (client, FunctionName) => (client as Lambda).invoke({ FunctionName }),
  },
  {
    title: 'DynamoDB',
    operation: 'DynamoDB.PutItem',
    declare: (options) => dynamoDBClient(options),
    send: (client, id) =>
      (client as DynamoDBClient).send(new PutItemCommand({ TableName: 'links', Item: { id: { S: id } } })),
  },
  {
    title: 'DynamoDB, aggregated',
    operation: 'DynamoDB.PutItem',
    declare: (options) => awsClient(async () => DynamoDB, options),
    send: (client, id) => (client as DynamoDB).putItem({ TableName: 'links', Item: { id: { S: id } } }),
  },
];
