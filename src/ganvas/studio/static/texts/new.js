// Texts of the view "new": keys begin with "new."; both languages have the same keys.
export default { en: {}, zh: {} };
