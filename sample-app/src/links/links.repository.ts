import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Injectable } from '@nestjs/common';
import { InjectDynamoDBDocument } from 'nestjs-clients/dynamodb';
import type { Link } from './link.js';
import { LinksTable } from './links-table.js';

@Injectable()
export class LinksRepository {
  constructor(
    @InjectDynamoDBDocument() private readonly documents: DynamoDBDocumentClient,
    private readonly table: LinksTable,
  ) {}

  async find(slug: string): Promise<Link | undefined> {
    const { Item } = await this.documents.send(new GetCommand({ TableName: this.table.name, Key: { slug } }));
    return Item as Link | undefined;
  }

  /** Returns `false`, and stores nothing, when the slug is taken. */
  async insert(link: Link): Promise<boolean> {
    try {
      await this.documents.send(
        new PutCommand({
          TableName: this.table.name,
          Item: link,
          ConditionExpression: 'attribute_not_exists(slug)',
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
