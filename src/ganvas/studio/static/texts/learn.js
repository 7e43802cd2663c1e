// Texts of the view "learn": keys begin with "learn."; both languages have the same keys.
export default { en: {}, zh: {} };
