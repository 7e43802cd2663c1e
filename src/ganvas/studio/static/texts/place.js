// Texts of the view "place": keys begin with "place."; both languages have the same keys.
export default { en: {}, zh: {} };
