require('reflect-metadata');
void require('./clients.cjs').run(async (name) => require(name));
