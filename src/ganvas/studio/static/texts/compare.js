// Texts of the view "compare": keys begin with "compare."; both languages have the same keys.
export default {
  en: { "compare.title": "Two runs", "compare.two": "Choose two runs on the page of all runs.", "compare.samples": "Samples of {name}", "compare.differences": "Settings that differ", "compare.same": "All settings are the same." },
  zh: { "compare.title": "对比两个运行", "compare.two": "请在运行列表中选择两个运行。", "compare.samples": "{name} 的样本", "compare.differences": "不同的设置", "compare.same": "所有设置都相同。" },
};
