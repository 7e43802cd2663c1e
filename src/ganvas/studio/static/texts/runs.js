// Texts of the view "runs": keys begin with "runs."; both languages have the same keys.
export default {
  en: {
    "runs.search": "Search runs", "runs.compare": "Compare two", "runs.train": "Train on a folder", "runs.nothing": "no samples yet",
    "runs.choose": "Choose {name} for a comparison", "runs.delete": "Delete {name}", "runs.deleted": "{name} is in the bin.", "runs.images": "{n} images shown",
    "runs.none": "No run has these words.", "runs.empty": "No GAN has been trained here yet.",
    "runs.where": "Runs that are trained on the command line into this folder appear here, too.",
  },
  zh: {
    "runs.search": "搜索训练", "runs.compare": "对比两个", "runs.train": "用文件夹训练", "runs.nothing": "还没有样本",
    "runs.choose": "选择 {name} 进行对比", "runs.delete": "删除 {name}", "runs.deleted": "{name} 已移入回收站。", "runs.images": "已看过 {n} 张图像",
    "runs.none": "没有匹配的训练。", "runs.empty": "这里还没有训练过 GAN。",
    "runs.where": "用命令行在此文件夹中训练的结果也会显示在这里。",
  },
};
