// The service of visits-app.cjs on node-redis, with everything from nestjs-clients/node-redis alone.
const visits = require('./visits-app.cjs');

const PACKAGES = visits.PACKAGES.map((name) => (name === 'nestjs-clients/redis' ? 'nestjs-clients/node-redis' : name));

const NODE_REDIS = {
  declare: ({ nodeRedisClient }, url) => ({
    redis: nodeRedisClient({ url, RESP: 2 }), // the server in this process speaks RESP 2
    unused: nodeRedisClient('redis://127.0.0.1:1'),
  }),
  hasEnded: (client) => !client.isOpen,
};

const run = (packages, platform) => visits.run(packages, platform, NODE_REDIS);

module.exports = { PACKAGES, run };
