// The bar, errors, units, and words that several views share.
export default {
  en: {
    "view.runs": "Runs", "view.new": "New", "view.learn": "Learn", "view.compare": "Compare", "view.watch": "Watch", "view.sample": "Sample",
    "view.paint": "Paint", "view.translate": "Translate", "view.place": "Place", "view.judge": "Judge",
    "frame.views": "Views of this run", "frame.main": "Main", "frame.retry": "Try again", "frame.skip": "Skip to the content",
    "frame.lost": "The studio does not answer. Is it still running?", "frame.training": "{name} is in training", "frame.left": "{time} left",
    "frame.light": "Light colours", "frame.dark": "Dark colours",
    "error.offline": "The studio does not answer. Start it again with: ganvas studio",
    "time.seconds": "{n} s", "time.minutes": "{n} min", "time.hours": "{n} h",
    "word.cancel": "Cancel", "word.save": "Save", "word.undo": "Undo", "word.close": "Close", "word.seed": "Seed", "word.working": "Working …",
    "state.training": "training", "state.starting": "starting", "state.stopping": "stopping, saving …", "state.finished": "finished", "state.stopped": "ended early",
    "state.interrupted": "stopped", "state.damaged": "damaged",
  },
  zh: {
    "view.runs": "训练", "view.new": "新建", "view.learn": "学习", "view.compare": "对比", "view.watch": "观察", "view.sample": "采样",
    "view.paint": "修补", "view.translate": "转换", "view.place": "布局", "view.judge": "评估",
    "frame.views": "此训练的页面", "frame.main": "主导航", "frame.retry": "重试", "frame.skip": "跳到正文",
    "frame.lost": "工作室没有响应。它还在运行吗？", "frame.training": "{name} 正在训练", "frame.left": "剩余 {time}",
    "frame.light": "浅色", "frame.dark": "深色",
    "error.offline": "工作室没有响应。请重新启动：ganvas studio",
    "time.seconds": "{n} 秒", "time.minutes": "{n} 分钟", "time.hours": "{n} 小时",
    "word.cancel": "取消", "word.save": "保存", "word.undo": "撤销", "word.close": "关闭", "word.seed": "随机种子", "word.working": "处理中……",
    "state.training": "训练中", "state.starting": "正在启动", "state.stopping": "正在停止并保存……", "state.finished": "已完成", "state.stopped": "提前结束",
    "state.interrupted": "已停止", "state.damaged": "已损坏",
  },
};
