"""What the pages say of what goes wrong by networks, losses and rates, on digits."""

from collections.abc import Mapping

from ganvas.whatif.texts import Story, Text

__all__ = ["TRAINING_STORIES"]

TRAINING_STORIES: Mapping[str, Story] = {
    "no-batch-norm": Story(
        title=Text("What if a DCGAN has no batch norm?", "如果 DCGAN 没有批归一化，会怎样？"),
        lines=(
            Text("convolution, bias, ReLU", "卷积、偏置、ReLU"),
            Text("convolution, batch norm, ReLU", "卷积、批归一化、ReLU"),
        ),
        changed=Text(
            "The layers. On the broken side each batch norm of a DCGAN, in both players, is "
            "replaced by a bias; the other first weights, rates and data are equal. The digits are "
            "enlarged to 16 pixels, so that there are three norms to lose.",
            "改了网络层。出问题的一侧，DCGAN 两个网络中的每个批归一化都换成偏置；其余的初始权重、"
            "学习率和数据都相同。数字放大到 16 像素，这样就有三个归一化层可去掉。",
        ),
        see=Text(
            "The broken side stays grey for long, then shows stripes and blots that are much "
            "alike. The mended side shows different digits early.",
            "出问题的一侧长时间是灰色，然后出现彼此很像的条纹和斑块。修好的一侧很早就出现不同的"
            "数字。",
        ),
        why=Text(
            "DCGAN draws its first weights with a standard deviation of 0.02, so each layer makes "
            "its signal several times smaller. A batch norm brings each channel back to mean 0 and "
            "standard deviation 1. Without it the noise hardly reaches the image: all samples are "
            "nearly equal, and what the generator learns about one it learns about all.",
            "DCGAN 的初始权重标准差为 0.02，因此每一层都会把信号缩小好几倍。批归一化把每个通道恢"
            "复到均值 0、标准差 1。没有它，"
            "噪声几乎到不了图像：所有样本几乎相同，生成器对一张学到的，就是对所有张学到的。",
        ),
        notice=Text(
            "Look at samples of the untrained GAN: if they differ by less than a grey level, the "
            "signal is lost on the way. The doctor's diversity is low at first. Either keep "
            "the norms, or draw larger weights: the standard deviation that suits a layer is about "
            "sqrt(2 / inputs). GANs without norms, such as the recipe `digits`, do the latter.",
            "看看未训练的 GAN 的样本：如果它们的差别小于一个灰度级，信号就在途中丢失了。医生的多"
            "样性开始时接近 0。要么保留归一化，"
            "要么用更大的初始权重：合适的标准差约为 sqrt(2 / 输入数)。没有归一化的 GAN（如配方 "
            "`digits`）采用后者。",
        ),
    ),
    "d-too-fast": Story(
        title=Text("What if the discriminator learns too fast?", "如果判别器学得太快，会怎样？"),
        lines=(
            Text.of("optimizers.discriminator.lr = 0.02"),
            Text.of("optimizers.discriminator.lr = 0.001"),
        ),
        changed=Text(
            "One number: the discriminator's learning rate is 20 times as large as the "
            "generator's; on the mended side both are equal. Both sides play the zero-sum game of "
            "the first GAN paper, in which the generator minimises log(1 - D(G(z))).",
            "只改了一个数：判别器的学习率是生成器的 20 倍；修好的一侧两者相等。两侧都进行第一篇 "
            "GAN 论文中的零和博弈，"
            "生成器最小化 log(1 - D(G(z)))。",
        ),
        see=Text(
            "The samples of the broken side stay noise, and do not change at all any more. Its "
            "losses look perfect, and nothing is learned.",
            "出问题的一侧，样本一直是噪声，而且完全不再变化。它的损失看起来很完美，却什么也没学"
            "到。",
        ),
        why=Text(
            "The slope of log(1 - D) in the discriminator's score is -D. When the discriminator is "
            "sure of every fake, D is 0 there, so the generator's gradient is 0: it is not told in "
            "which direction it should go. This is why most GANs use -log D instead, whose "
            "slope is "
            "then -1. It helps, but a discriminator that is far ahead still gives poor directions.",
            "log(1 - D) 对判别器得分的斜率是 -D。当判别器对每张假图都很确定时，D 为 0，生成器的"
            "梯度也就为 0：没有人告诉它该往"
            "哪个方向走。因此多数 GAN 改用 -log D，它的斜率此时为 -1。这有帮助，但遥遥领先的判别"
            "器给出的方向仍然不好。",
        ),
        notice=Text(
            "The discriminator's loss falls to 0 and stays there, the separation is 100%, the "
            "gap of "
            "scores grows, and the doctor says `discriminator wins` or `dead gradients`. Lower the "
            "discriminator's rate, e.g. `--set optimizers.discriminator.lr=5e-5`, or give it a "
            "gradient penalty. A loss near 0 is no success in a GAN.",
            "判别器的损失降到 0 并停在那里，区分度为 100%，得分差不断变大，医生报告判别器占优（"
            "`discriminator wins`）或梯度消失"
            "（`dead gradients`）。降低判别器的学习率，例如 `--set "
            "optimizers.discriminator.lr=5e-5`，或给它加梯度惩罚。在 GAN "
            "中，损失接近 0 不是成功。",
        ),
    ),
    "no-smoothing": Story(
        title=Text("What if there is no label smoothing?", "如果不做标签平滑，会怎样？"),
        lines=(Text.of("options.real_target = 1.0"), Text.of("options.real_target = 0.9")),
        changed=Text(
            "One number: the probability towards which the discriminator is trained on real "
            "images, by the setting `--set options.real_target=1`. With 0.9 this is one-sided "
            "label smoothing.",
            "只改了一个数：判别器在真实图像上的目标概率，设置为 `--set options.real_target=1`。"
            "取 0.9 就是单侧标签平滑。",
        ),
        see=Text(
            "The samples of both sides look much the same: on data as easy as these digits the "
            "effect is small. Where there is one, it is in the scores: of three seeds that were "
            "tried, two had a gap of 1.3 and 1.4 without smoothing and 1.1 with it, and the third "
            "had 1.2 on both sides.",
            "两侧的样本看起来差不多：在这样简单的数字上，影响很小。如果有，也是在得分上：试过的三个"
            "种子中，两个在没有平滑时得分差为 1.3 和 1.4，有平滑时为 1.1；第三个两侧都是 1.2。",
        ),
        why=Text(
            "To say 1 with certainty a score must be infinite, so the discriminator is rewarded "
            "for ever larger scores. With the target 0.9 the best score is log(0.9 / 0.1) = 2.2, "
            "and larger ones cost something. Smaller scores mean smaller and steadier gradients "
            "for the generator. Only the real target is smoothed: smoothing that of the fakes "
            "would praise fakes that are there already.",
            "要肯定地说出 1，得分必须是无穷大，所以判别器的得分越大越受奖励。目标为 0.9 时，最好"
            "的得分是 log(0.9 / 0.1) = 2.2，"
            "更大的要付出代价。得分小，生成器的梯度也就更小、更稳。只平滑真实图像的目标：平滑假"
            "图的目标，会表扬已经存在的假图。",
        ),
        notice=Text(
            "Watch the gap of scores in `ganvas health RUN`: usually it is 1 to 5. If it grows "
            "through the whole run, smoothing is one of the remedies, a gradient penalty is a "
            "stronger one. Do not expect better pictures from smoothing alone.",
            "在 `ganvas health RUN` 中观察得分差：通常为 1 到 5。如果它在整个训练中不断变大，平"
            "滑是一种办法，梯度惩罚是更强的"
            "办法。不要指望单靠平滑就能得到更好的图像。",
        ),
    ),
    "rate-too-high": Story(
        title=Text("What if the learning rates are too high?", "如果学习率太高，会怎样？"),
        lines=(
            Text("both learning rates 0.02", "两个学习率都是 0.02"),
            Text("both learning rates 0.001", "两个学习率都是 0.001"),
        ),
        changed=Text(
            "One number: the learning rate of both players is 20 times as large, `--set "
            "optimizers.generator.lr=0.02 --set optimizers.discriminator.lr=0.02`.",
            "只改了一个数：两个网络的学习率都是 20 倍，`--set optimizers.generator.lr=0.02 --set "
            "optimizers.discriminator.lr=0.02`。",
        ),
        see=Text(
            "Blots of black and white that change from moment to moment and do not become digits. "
            "The mended side has digits after a third of the time.",
            "黑白的斑块，每一时刻都在变，却变不成数字。修好的一侧用三分之一的时间就有了数字。",
        ),
        why=Text(
            "A gradient tells the direction for a small step only. With large steps each player "
            "answers to a place where the other one has long left. Adam makes its steps about as "
            "large as the rate whatever the gradient is, so weights grow quickly; the sigmoid at "
            "the end is driven to 0 or 1, where its slope is almost 0, and ReLU units that were "
            "pushed too far give 0 for every input.",
            "梯度只对一小步给出方向。步子大了，每个网络回应的都是对方早已离开的位置。不管梯度多"
            "大，Adam 的步长都约等于学习率，所以权重"
            "很快变大；末端的 sigmoid 被推到 0 或 1，那里的斜率几乎为 0；被推得太远的 ReLU 单元"
            "对任何输入都输出 0。",
        ),
        notice=Text(
            "The losses jump from report to report, and pixels are black or white with nothing "
            "between. The doctor says `discriminator wins`, `diverging` or `mode collapse`. Start "
            "again with a tenth of both rates: a run that went wrong in this way seldom recovers.",
            "每次报告的损失都剧烈跳动，像素非黑即白，没有中间的灰度。医生报告判别器占优（"
            "`discriminator wins`）、发散（`diverging`）"
            "或模式坍塌（`mode collapse`）。用两个学习率的十分之一重新开始：这样失败的训练很少能"
            "恢复。",
        ),
    ),
    "mode-collapse": Story(
        title=Text(
            "What if the generator learns much faster than the discriminator?",
            "如果生成器比判别器学得快得多，会怎样？",
        ),
        lines=(
            Text.of("optimizers.generator.lr = 0.02"),
            Text.of("optimizers.generator.lr = 0.001"),
        ),
        changed=Text(
            "One number: the generator's learning rate is 20 times as large as the "
            "discriminator's, `--set optimizers.generator.lr=0.02`; on the mended side both are "
            "equal.",
            "只改了一个数：生成器的学习率是判别器的 20 倍，`--set optimizers.generator.lr=0.02`；"
            "修好的一侧两者相等。",
        ),
        see=Text(
            "Whatever the noise, the same image. It is another one at the next moment, and never a "
            "set of different ones. This is mode collapse, here in its strongest form; mostly some "
            "kinds of images are missing, not all but one.",
            "无论噪声是什么，都是同一张图像。下一时刻又换成另一张，却从来不是一组不同的图像。这"
            "就是模式坍塌（又称模式崩溃、模式缺失），这里是最强的形式；"
            "通常只是缺少某些种类，而不是只剩一种。",
        ),
        why=Text(
            "If the discriminator stood still, the best answer to it would be the one image that "
            "it scores highest, for every noise. A generator that is much faster comes near this "
            "answer. Then the discriminator learns that this image is a fake, and all samples move "
            "to the next one. Each image is scored alone, so nothing tells the generator that its "
            "samples are all the same.",
            "如果判别器静止不动，最好的回答就是它打分最高的那一张图像，对任何噪声都一样。快得多"
            "的生成器会接近这个回答。然后判别器学到"
            "这张是假的，所有样本就一起移到下一张。每张图像是单独打分的，没有什么告诉生成器：它"
            "的样本全都一样。",
        ),
        notice=Text(
            "Look at many samples at once, not at the best one. diversity is far below 1, and "
            "the doctor says `mode collapse` or `partial collapse`. What helps: equal rates or a "
            "faster discriminator; a loss that compares samples with real images in pairs, as the "
            "recipe `digits` does; several samples in one score (`ganvas train rings --set "
            "options.packing=2`).",
            "一次看许多样本，不要只看最好的一张。多样性远小于 1，医生报告模式坍塌（`mode "
            "collapse`）或部分坍塌（`partial "
            "collapse`）。有用的办法：相等的学习率，或更快的判别器；把样本与真实图像成对比较的损"
            "失，如配方 `digits`；"
            "多个样本一起打分（`ganvas train rings --set options.packing=2`）。",
        ),
    ),
    "non-convergence": Story(
        title=Text(
            "What if the players push each other in circles?",
            "如果两个网络互相追逐、原地打转，会怎样？",
        ),
        lines=(
            Text(
                "plain loss, Adam with beta1 0.9, no penalty",
                "普通损失，Adam 的 beta1 为 0.9，无惩罚",
            ),
            Text(
                "pairs and penalty, beta1 0 (recipe rings-fast)",
                "成对比较并加惩罚，beta1 为 0（配方 rings-fast）",
            ),
        ),
        changed=Text(
            "The game, with the same number of images and the same first rate, 0.002. The broken "
            "side is the plain GAN of 2014 with Adam's usual momentum, `beta1=0.9`, and a constant "
            "rate. The mended side is the recipe `rings-fast`: real and generated points are "
            "compared in pairs, a penalty keeps the discriminator's slope small near both, there "
            "is no momentum (`beta1=0`), rates fall to 0 and samples are from averaged weights. "
            "These are several changes at once: they are what one does against it.",
            "改了博弈本身，图像（点）数和初始学习率 0.002 都相同。出问题的一侧是 2014 年的普通 GAN"
            "，使用 Adam 通常的动量 `beta1=0.9`，学习率不变。修好的一侧是配方 `rings-fast`：真实点"
            "与生成点成对比较，惩罚项使判别器在两者附近的斜率保持很小，没有动量（`beta1=0`），学习"
            "率降到 0，样本来自平均权重。这是同时做的几处改动：正是人们用来对付它的办法。",
        ),
        see=Text(
            "The data are points around eight centres (orange). The broken side's points keep "
            "travelling, together or in groups, past the centres, for as long as it trains. The "
            "mended side's points spread over the ring first and then gather at all eight centres.",
            "数据是围绕八个中心（橙色）的点。出问题的一侧，点成团或成群地在中心之间移动，训练多久"
            "就走多久。修好的一侧，点先散布到整个圆环，再聚到全部八个中心。",
        ),
        why=Text(
            "Each player's best answer changes with the other's last step. In the smallest such "
            "game, f(x, y) = x y, updates in turn circle around the equilibrium for ever, and "
            "momentum, which keeps pushing after the slope has turned, drives them outwards. A "
            "penalty on the discriminator's slope turns the circle into a spiral that ends.",
            "每个网络的最佳回答都随对方的上一步而变。在最小的这种博弈 f(x, y) = x y 中，轮流更新"
            "会永远绕着均衡点转圈；动量在斜率转向后仍"
            "继续推，使它们越转越远。对判别器斜率的惩罚，把圆圈变成会收敛的螺旋。",
        ),
        notice=Text(
            "Samples of the same noise keep changing: their change stays high, the losses swing, "
            "and the last checkpoint is no better than the one before. The doctor says "
            "`oscillation` where that goes on without progress; a cloud that travels can look like "
            "progress to it. "
            "Take `beta1` 0.5 or 0, a gradient penalty, falling rates, and averaged weights "
            "(`--set ema_halflife=10000`). `ganvas theory` shows the circle and the spiral.",
            "同一噪声的样本不停变化：变化值一直很高，损失来回摆动，最后的检查点并不比前一个好；"
            "如果一直没有进步，医生会报告振荡（`oscillation`）；但移动的点团有时会被它当作进步。"
            "把 `beta1` 取为 0.5 或 0，加梯度惩罚，让学习率下降，并使用平均权重（`--set "
            "ema_halflife=10000`）。"
            "`ganvas theory` 画出了圆圈和螺旋。",
        ),
    ),
}
