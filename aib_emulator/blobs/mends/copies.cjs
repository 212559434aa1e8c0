// Copy Blob that takes its time. The blob front decides when a copy is over; Azurite keeps what is to be seen of it.
//
// Two headers of the front's own come along with its Copy Blob calls:
//   aib-copy-id        the id that the copy has, at its start and at its end
//   aib-copy-pending   the target is made, empty, and its copy is shown as pending
"use strict";

const { collection, find } = require("./documents.cjs");

module.exports = ({ load }) => {
  const store = load("blob/persistence/LokiBlobMetadataStore.js").default.prototype;
  const { CopyStatusType } = load("blob/generated/artifacts/models.js");

  for (const name of ["startCopyFromURL", "copyFromURL"]) {
    const copy = store[name];
    store[name] = async function (context, source, destination, ...rest) {
      await copy.call(this, context, source, destination, ...rest);
      const copied = find(this, destination);
      // A copied blob shares its lists of pages and blocks with its source: what is written to one would show in the other.
      for (const list of ["pageRangesInOrder", "committedBlocksInOrder"]) {
        copied[list] &&= copied[list].slice();
      }
      copied.properties.copyId = context.request?.getHeader("aib-copy-id") ?? copied.properties.copyId;
      if (context.request?.getHeader("aib-copy-pending")) {
        startOver(copied);
      }
      collection(this).update(copied);
      return copied.properties;
    };
  }

  let running;
  const { init } = store;
  store.init = async function () {
    running = this;
    return init.call(this);
  };

  function startOver(copied) {
    const { properties } = copied;
    properties.copyStatus = CopyStatusType.Pending;
    properties.copyProgress = `0/${properties.contentLength}`;
    properties.copyCompletionTime = undefined;
    if (copied.pageRangesInOrder) {
      copied.pageRangesInOrder = []; // a page blob has its length from the start
    } else {
      empty(copied);
    }
  }

  function empty(copied) {
    copied.properties.contentLength = 0;
    copied.properties.contentMD5 = undefined;
    copied.persistency = undefined;
    copied.pageRangesInOrder &&= [];
    copied.committedBlocksInOrder &&= [];
  }

  // {"copy": {"account", "container", "blob", "progress": "<bytes>/<bytes>"}}, or with "status" and "description" once it
  // has ended without success: the target then has no length.
  return function noteCopy({ progress, status, description, ended, ...place }) {
    const copied = running && find(running, place);
    if (!copied) {
      return; // deleted with its container
    }
    if (status) {
      empty(copied);
      copied.properties.copyStatus = status;
      copied.properties.copyStatusDescription = description;
      copied.properties.copyCompletionTime = new Date(ended);
    }
    copied.properties.copyProgress = progress;
    collection(running).update(copied);
  };
};
