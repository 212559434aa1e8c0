// Where Azurite's metadata store keeps its blobs.
"use strict";

function collection(store) {
  return store.db.getCollection(store.BLOBS_COLLECTION);
}

function find(store, { account, container, blob, snapshot }) {
  return collection(store).findOne({ accountName: account, containerName: container, name: blob, snapshot: snapshot ?? "" });
}

module.exports = { collection, find };
