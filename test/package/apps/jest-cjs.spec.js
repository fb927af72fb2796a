require('reflect-metadata');
const visits = require('./visits-app.cjs');

const packages = visits.PACKAGES.map((name) => require(name));
visits.describeVisits(packages, require('@nestjs/testing'), { describe, it, beforeAll, afterAll, afterEach, expect });
