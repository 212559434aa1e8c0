// Mends Azurite from inside, before it starts: `node --require mend_azurite.cjs .../blob/main.js`.
//
// The emulator talks to it over stdin, one JSON object per line, and gets one line on stdout for each:
//   {"account": "name", "keys": ["<base64>", "<base64>"]}   the account exists from now on
//   {"account": "name", "keys": null}                       it does not exist any more
//   {"copy": {"account", "container", "blob", ...}}         what is to be seen of a copy that goes on: mends/copies.cjs
// The end of stdin means that the emulator is gone, however it died: Azurite then ends as well.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const program = path.dirname(path.dirname(process.argv[1])); // .../azurite/dist/src
const load = (file) => require(path.join(program, file));

// Azurite reads its accounts from an environment variable, once a minute. Ours come and go at once.
const accounts = new Map();
load("common/AccountDataStore.js").default.prototype.getAccount = (name) => accounts.get(name);

// TLS ends at the blob front, so a SAS that permits HTTPS only is right here too, and lists name the front's address.
const request = load("blob/generated/ExpressRequestAdapter.js").default.prototype;
request.getProtocol = () => "https";
request.getEndpoint = function () {
  return `https://${this.getHeader("host")}`;
};

// A well-known seed would let anybody sign as anybody: user delegation keys come from a seed of our own.
const constants = load("blob/utils/constants.js");
constants.USERDELEGATIONKEY_SIGNING_SEED = process.env.AIB_EMULATOR_DELEGATION_SEED;

// Azurite would look at the source of a copy through its public address. The blob front has done that already.
load("blob/handlers/BlobHandler.js").default.prototype.validateCopySource = async () => {};

// What storage says of times is in the emulated time, which each request carries; expiry stays with the wall clock.
const context = load("blob/generated/Context.js").default.prototype;
const { set: keepStartTime } = Object.getOwnPropertyDescriptor(context, "startTime");
Object.defineProperty(context, "startTime", {
  set: keepStartTime,
  get() {
    const emulated = this.request?.getHeader("aib-emulated-time");
    return emulated ? new Date(emulated) : this.context.startTime;
  },
});

const noteCopy = require("./mends/copies.cjs")({ load });
require("./mends/page_ranges.cjs")({ load });
require("./mends/immutability.cjs")({ load });
require("./mends/snapshots.cjs")({ load });

function setAccount({ account, keys }) {
  if (keys === null) {
    accounts.delete(account);
  } else {
    const [key1, key2] = keys.map((key) => Buffer.from(key, "base64"));
    accounts.set(account, { name: account, key1, key2 });
  }
}

for (const known of JSON.parse(fs.readFileSync(process.env.AIB_EMULATOR_ACCOUNTS))) {
  setAccount(known);
}

const orders = readline.createInterface({ input: process.stdin });
orders.on("line", (line) => {
  const order = JSON.parse(line);
  order.copy ? noteCopy(order.copy) : setAccount(order);
  process.stdout.write("order done\n");
});
orders.on("close", () => process.kill(process.pid, "SIGTERM"));
process.stdin.unref(); // or it would keep a closed Azurite alive
