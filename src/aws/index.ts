export { awsClient } from './aws-client.js';
export type { AwsClient, AwsClientClass, AwsClientConfig } from './aws-sdk.js';
