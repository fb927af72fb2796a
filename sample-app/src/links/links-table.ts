import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  waitUntilTableExists,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { InjectDynamoDB } from 'nestjs-clients/dynamodb';
import type { Environment } from '../config/environment.js';

/** The table of links, created at start when it is absent. */
@Injectable()
export class LinksTable implements OnModuleInit {
  constructor(
    @InjectDynamoDB() private readonly dynamodb: DynamoDBClient,
    private readonly config: ConfigService<Environment, true>,
  ) {}

  get name(): string {
    return this.config.get('LINKS_TABLE', { infer: true });
  }

  async onModuleInit(): Promise<void> {
    if (!(await this.exists())) await this.create();
    await waitUntilTableExists(
      { client: this.dynamodb, minDelay: 0.1, maxDelay: 1, maxWaitTime: 30 },
      { TableName: this.name },
    );
  }

  private async exists(): Promise<boolean> {
    try {
      await this.dynamodb.send(new DescribeTableCommand({ TableName: this.name }));
      return true;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    }
  }

  private async create(): Promise<void> {
    try {
      await this.dynamodb.send(
        new CreateTableCommand({
          TableName: this.name,
          AttributeDefinitions: [{ AttributeName: 'slug', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'slug', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      );
    } catch (error) {
      // Another instance of the app was faster.
      if (!(error instanceof ResourceInUseException)) throw error;
    }
  }
}
