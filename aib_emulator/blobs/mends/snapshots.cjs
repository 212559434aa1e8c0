// Snapshots taken in one instant of the emulated clock, which may stand still, and incremental copies, which make snapshots.
"use strict";

const { collection, find } = require("./documents.cjs");

const SNAPSHOT = /^(.*\.)(\d{7})Z$/;

module.exports = ({ load }) => {
  const StorageError = load("blob/errors/StorageError.js").default;
  const store = load("blob/persistence/LokiBlobMetadataStore.js").default.prototype;
  const handler = load("blob/handlers/PageBlobHandler.js").default.prototype;

  const { createSnapshot } = store;
  store.createSnapshot = async function (context, account, container, blob, ...rest) {
    const answer = await createSnapshot.call(this, context, account, container, blob, ...rest);
    const found = collection(this).find({ accountName: account, containerName: container, name: blob });
    const made = found.reduce((one, other) => (other.$loki > one.$loki ? other : one)); // the youngest
    const others = new Set(found.filter((other) => other !== made).map(({ snapshot }) => snapshot));
    while (others.has(made.snapshot)) {
      made.snapshot = made.snapshot.replace(SNAPSHOT, (_, seconds, ticks) => `${seconds}${next(ticks)}Z`);
    }
    collection(this).update(made);
    return { ...answer, snapshot: made.snapshot };
  };

  handler.copyIncremental = async function (copySource, options, context) {
    const { account, container, blob } = context.context;
    const url = new URL(copySource);
    const snapshot = url.searchParams.get("snapshot");
    if (!snapshot) {
      throw refusal("IncrementalCopySourceMustBeSnapshot", "The source for incremental copy request must be a snapshot.", context);
    }
    const source = placeOf(url);
    demandSuccessor(find(this.metadataStore, { account, container, blob }), url, snapshot, context);
    const place = { account, container, blob };
    await this.metadataStore.startCopyFromURL(context, { ...source, snapshot }, place, copySource, undefined, undefined, options);
    const made = find(this.metadataStore, place);
    Object.assign(made.properties, { incrementalCopy: true, isIncrementalCopy: true });
    const taken = await this.metadataStore.createSnapshot(context, account, container, blob);
    made.properties.destinationSnapshot = taken.snapshot;
    collection(this.metadataStore).update(made);
    const { copyId, copyStatus, etag: eTag, lastModified } = made.properties;
    return { statusCode: 202, requestId: context.contextId, date: context.startTime, copyId, copyStatus, eTag, lastModified };
  };

  function demandSuccessor(target, url, snapshot, context) {
    if (target === null) {
      return;
    }
    const before = target.properties.incrementalCopy && new URL(target.properties.copySource);
    if (!before || before.pathname !== url.pathname) {
      throw refusal("IncrementalCopyBlobMismatch", "The destination is not an incremental copy of this source.", context);
    }
    if (before.searchParams.get("snapshot") > snapshot) {
      const message = "An earlier snapshot than the one copied before cannot be copied.";
      throw refusal("IncrementalCopyOfEarlierVersionSnapshotNotAllowed", message, context);
    }
  }

  function refusal(code, message, context) {
    return new StorageError(409, code, message, context.contextId);
  }
};

function next(ticks) {
  return String(Number(ticks) + 1).padStart(7, "0");
}

function placeOf(url) {
  const [, account, container, ...name] = url.pathname.split("/").map(decodeURIComponent);
  return { account, container, blob: name.join("/") };
}
