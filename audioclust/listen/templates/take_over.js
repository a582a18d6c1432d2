// The command that writes the edits into the run.
function editsFileName(text) { // other edits get another name, so that no browser has to change it
  let hash = 2166136261; // FNV-1a
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return `edits-${(hash >>> 0).toString(16).padStart(8, "0")}.json`;
}

function shellPath(url) { // the file or folder of a file: address, quoted for a shell; null where it is another address
  const {protocol, host, pathname} = new URL(url);
  if (protocol !== "file:") return null;
  let path;
  try { path = decodeURIComponent(pathname) } catch { return null } // bytes that are no text
  path = path.replace(/(?<=[^:])\/$/, "");
  if (host) return `"//${host}${path}"`; // Windows, on another computer
  if (/^\/[A-Za-z]:/.test(path)) return `"${path.slice(1)}"`; // Windows, on a drive
  return /^[A-Za-z0-9/._-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

const runFolder = data.folder === null ? null : shellPath(new URL(data.folder + "/", location.href)); // null where it is not known

function showCommand(text) { // for the edits as they are downloaded
  $("run-unknown").hidden = runFolder !== null;
  const command = `audioclust listen ${runFolder ?? "RUN"} --edits ${editsFileName(text)}`;
  $("take-over").textContent = command + data.labels_option;
}
