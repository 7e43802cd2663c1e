// Texts of the view "runs": keys begin with "runs."; both languages have the same keys.
export default { en: {}, zh: {} };
