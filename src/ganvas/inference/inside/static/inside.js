// The language of the page: the browser's at first, then the one that is chosen.
const root = document.documentElement;
function choose(language) {
  root.dataset.language = language;
  root.lang = language === "zh" ? "zh-CN" : "en";
}
choose((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");
document.getElementById("language").addEventListener("click", () => choose(root.dataset.language === "zh" ? "en" : "zh"));
