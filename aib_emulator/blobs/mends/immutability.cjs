// Immutability policies and legal holds of single blobs: Azurite knows the words for them, and nothing else.
"use strict";

const { collection, find } = require("./documents.cjs");

const UNTIL = "x-ms-immutability-policy-until-date";
const MODE = "x-ms-immutability-policy-mode";
const HOLD = "x-ms-legal-hold";
const LOCKED = "Locked";
const FREE = { immutabilityPolicyExpiresOn: undefined, immutabilityPolicyMode: undefined, legalHold: undefined };

// What changes a blob, and where among its arguments, after the context, it says which one.
const named = (account, container, blob, options) => ({ account, container, blob, snapshot: options?.snapshot });
const target = (_source, destination) => destination;
const ofModel = ({ accountName, containerName, name, blobName }) => ({
  account: accountName,
  container: containerName,
  blob: blobName ?? name,
});
const CHANGES = {
  createBlob: ofModel,
  commitBlockList: ofModel,
  appendBlock: ofModel,
  uploadPages: ofModel,
  clearRange: ofModel,
  deleteBlob: named,
  setBlobHTTPHeaders: (account, container, blob) => ({ account, container, blob }),
  setBlobMetadata: (account, container, blob) => ({ account, container, blob }),
  resizePageBlob: (account, container, blob) => ({ account, container, blob }),
  updateSequenceNumber: (account, container, blob) => ({ account, container, blob }),
  startCopyFromURL: target,
  copyFromURL: target,
};

module.exports = ({ load }) => {
  const StorageError = load("blob/errors/StorageError.js").default;
  const factory = load("blob/errors/StorageErrorFactory.js").default;
  const store = load("blob/persistence/LokiBlobMetadataStore.js").default.prototype;
  const handler = load("blob/handlers/BlobHandler.js").default.prototype;

  for (const [name, placeOf] of Object.entries(CHANGES)) {
    const change = store[name];
    store[name] = async function (context, ...rest) {
      const known = find(this, placeOf(...rest));
      if (known && isImmutable(known.properties, context)) {
        throw immutable(context);
      }
      return change.call(this, context, ...rest);
    };
  }

  // A blob may be made with a policy or a hold.
  for (const name of ["createBlob", "commitBlockList"]) {
    const create = store[name];
    store[name] = async function (context, blob, ...rest) {
      const answer = await create.call(this, context, blob, ...rest);
      const made = find(this, ofModel(blob));
      Object.assign(made.properties, askedFor(context.request, context));
      collection(this).update(made);
      return answer;
    };
  }

  // A copy has none of its source's.
  for (const name of ["startCopyFromURL", "copyFromURL"]) {
    const copy = store[name];
    store[name] = async function (context, source, destination, ...rest) {
      const properties = await copy.call(this, context, source, destination, ...rest);
      const copied = find(this, destination);
      Object.assign(copied.properties, FREE, askedFor(context.request, context));
      collection(this).update(copied);
      return properties;
    };
  }

  // The emulator itself may clear away everything; what clients ask for comes with the emulated time.
  const { deleteContainer } = store;
  store.deleteContainer = async function (context, account, container, ...rest) {
    const blobs = collection(this).find({ accountName: account, containerName: container });
    const isAsked = context.request?.getHeader("aib-emulated-time") !== undefined;
    if (isAsked && blobs.some(({ properties }) => isImmutable(properties, context))) {
      throw immutable(context);
    }
    return deleteContainer.call(this, context, account, container, ...rest);
  };

  handler.setImmutabilityPolicy = async function (_options, context) {
    const { blob, store: metadataStore } = await existing(this, context);
    const policy = askedFor(context.request, context);
    const until = policy.immutabilityPolicyExpiresOn;
    if (until === undefined) {
      throw new StorageError(400, "MissingRequiredHeader", `The header ${UNTIL} is required.`, context.contextId);
    }
    const { immutabilityPolicyMode: mode, immutabilityPolicyExpiresOn: before } = blob.properties;
    if (mode === LOCKED && (policy.immutabilityPolicyMode !== LOCKED || until < new Date(before))) {
      throw immutable(context);
    }
    Object.assign(blob.properties, { ...policy, legalHold: blob.properties.legalHold });
    collection(metadataStore).update(blob);
    return { ...answer(context), immutabilityPolicyExpiry: until, immutabilityPolicyMode: policy.immutabilityPolicyMode };
  };

  handler.deleteImmutabilityPolicy = async function (_options, context) {
    const { blob, store: metadataStore } = await existing(this, context);
    if (blob.properties.immutabilityPolicyMode === LOCKED) {
      throw immutable(context);
    }
    Object.assign(blob.properties, { ...FREE, legalHold: blob.properties.legalHold });
    collection(metadataStore).update(blob);
    return answer(context);
  };

  handler.setLegalHold = async function (legalHold, _options, context) {
    const { blob, store: metadataStore } = await existing(this, context);
    blob.properties.legalHold = legalHold;
    collection(metadataStore).update(blob);
    return { ...answer(context), legalHold };
  };

  async function existing({ metadataStore }, context) {
    const { account, container, blob } = context.context;
    const snapshot = context.request.getQuery("snapshot");
    await metadataStore.getBlobProperties(context, account, container, blob, snapshot); // or it is not found
    return { store: metadataStore, blob: find(metadataStore, { account, container, blob, snapshot }) };
  }

  function askedFor(request, context) {
    const until = request?.getHeader(UNTIL);
    const hold = request?.getHeader(HOLD);
    const asked = {};
    if (until !== undefined) {
      const date = new Date(until);
      if (!(date > context.startTime)) {
        throw factory.getInvalidHeaderValue(context.contextId, { HeaderName: UNTIL, HeaderValue: until });
      }
      const isLocked = (request.getHeader(MODE) ?? "").toLowerCase() === LOCKED.toLowerCase();
      Object.assign(asked, { immutabilityPolicyExpiresOn: date, immutabilityPolicyMode: isLocked ? LOCKED : "Unlocked" });
    }
    return hold === undefined ? asked : { ...asked, legalHold: hold.toLowerCase() === "true" };
  }

  function immutable(context) {
    const message = "This operation is not permitted as the blob is immutable due to a policy.";
    return new StorageError(409, "BlobImmutableDueToPolicy", message, context.contextId);
  }
};

function isImmutable({ immutabilityPolicyExpiresOn, legalHold }, context) {
  return legalHold === true || (immutabilityPolicyExpiresOn && new Date(immutabilityPolicyExpiresOn) > context.startTime);
}

function answer(context) {
  return {
    statusCode: 200,
    requestId: context.contextId,
    clientRequestId: context.request.getHeader("x-ms-client-request-id"),
    date: context.startTime,
  };
}
