// Page lists as the service answers them: touching ranges joined, page by page, and what has changed since a snapshot.
"use strict";

const MOST_RANGES = 10000;

module.exports = ({ load }) => {
  const errors = load("blob/errors/StorageErrorFactory.js").default;
  const StorageError = load("blob/errors/StorageError.js").default;
  const handler = load("blob/handlers/PageBlobHandler.js").default.prototype;
  const { getPageRanges } = handler;

  // Azurite takes the question for changes for the one for ranges.
  handler.getPageRanges = async function (options, context) {
    const before = context.request.getQuery("prevsnapshot");
    const response = await getPageRanges.call(this, options, context);
    if (before === undefined) {
      return onePage(context, response, joined(response.pageRange, "pageRange"));
    }
    const old = await snapshotOf(this.metadataStore, context, before);
    const asked = { start: 0, end: response.blobContentLength - 1, ...askedRange(context) };
    const changes = changesOf(this.rangesManager.cutRanges(old.pageRangesInOrder ?? [], asked), response.pageRange);
    return onePage(context, response, changes);
  };

  async function snapshotOf(metadataStore, context, snapshot) {
    if (context.request.getQuery("snapshot") < snapshot) {
      throw refusal("PreviousSnapshotCannotBeNewer", "The previous snapshot must not be newer than the snapshot.", context);
    }
    const { account, container, blob } = context.context;
    try {
      return await metadataStore.getPageRanges(context, account, container, blob, snapshot);
    } catch (error) {
      if (error.statusCode !== 404) {
        throw error;
      }
      throw refusal("PreviousSnapshotNotFound", "The previous snapshot is not found.", context);
    }
  }

  function refusal(code, message, context) {
    return new StorageError(409, code, message, context.contextId);
  }

  function onePage(context, response, ranges) {
    const most = mostOf(context);
    const rest = ranges.filter(({ start }) => start >= Number(context.request.getQuery("marker") || 0));
    const page = rest.slice(0, most);
    return {
      ...response,
      pageRange: page.filter(({ kind }) => kind === "pageRange"),
      clearRange: page.filter(({ kind }) => kind === "clearRange"),
      nextMarker: rest.length > most ? String(rest[most].start) : undefined,
    };
  }

  function mostOf(context) {
    const given = context.request.getQuery("maxresults");
    if (given === undefined) {
      return MOST_RANGES;
    }
    if (!/^[1-9]\d*$/.test(given)) {
      throw errors.getInvalidQueryParameterValue(context.contextId, "maxresults", given, "It must be above 0.");
    }
    return Math.min(Number(given), MOST_RANGES);
  }
};

function askedRange(context) {
  const found = /^bytes=(\d+)-(\d+)?$/.exec(context.request.getHeader("x-ms-range") ?? context.request.getHeader("range") ?? "");
  return found && { start: Number(found[1]), ...(found[2] && { end: Number(found[2]) }) };
}

function joined(ranges, kind) {
  const result = [];
  for (const { start, end } of ranges) {
    add(result, start, end, kind);
  }
  return result;
}

function add(result, start, end, kind) {
  const last = result.at(-1);
  if (last?.kind === kind && last.end + 1 === start) {
    last.end = end;
  } else {
    result.push({ start, end, kind });
  }
}

// Every range names where its bytes lie. The same bytes in the same place are the same content; all others were written since.
function changesOf(before, after) {
  const cuts = [...before, ...after].flatMap(({ start, end }) => [start, end + 1]);
  const borders = [...new Set(cuts)].sort((one, other) => one - other);
  const [old, present] = [walker(before), walker(after)];
  const result = [];
  borders.slice(0, -1).forEach((start, index) => {
    const [was, is] = [old(start), present(start)];
    if (was !== is) {
      add(result, start, borders[index + 1] - 1, is === undefined ? "clearRange" : "pageRange");
    }
  });
  return result;
}

// Returns a function that tells where the byte at an offset lies; offsets only go up from call to call.
function walker(ranges) {
  let index = 0;
  return (offset) => {
    while (index < ranges.length && ranges[index].end < offset) {
      index += 1;
    }
    const range = ranges[index];
    if (range === undefined || range.start > offset) {
      return undefined;
    }
    return `${range.persistency.id}:${range.persistency.offset + offset - range.start}`;
  };
}
