// Language and colours outlive the page where the browser lets a file from the disk keep something.

export function recall(name) {
  try { return localStorage.getItem(`ganvas.${name}`); } catch { return null; }
}

export function remember(name, value) {
  try { localStorage.setItem(`ganvas.${name}`, value); } catch { /* the next opening begins anew */ }
}
