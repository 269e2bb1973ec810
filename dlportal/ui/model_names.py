"""Names of models on cards in the visitor's language.

A card holds English names. Those of published networks are the same in Chinese, like every name
that is not listed here.
"""

from dlportal.messages import N_
from dlportal.ui.language import _

NAMES = (
    # What the cases have.
    N_("small CNN"),
    N_("small residual CNN"),
    N_("5 small CNNs"),
    N_("Monotone MLP ×8"),
    N_("Periodic MLP ×3"),
    N_("MLP ×8, one set a year"),
    N_("MLP · CNN · LSTM · attention"),
    N_("attention net"),
    N_("two small CNNs on log-mel spectrograms"),
    N_("MiniLM-L6 + LoRA + word shapes"),
    N_("flow-matching U-Net"),
    N_("FCOS on EfficientNet-Lite0"),
    N_("Graph network + descriptors, 6 or more for each property"),
    N_("mean of three trainings"),
    N_("small character GPT"),
    # Baselines.
    N_("every character alike"),
    N_("counts of single characters"),
    N_("Kneser-Ney trigram"),
    N_("Kneser-Ney 6-gram"),
    N_("real lines that were not learned from"),
    N_("real poems that were not learned from"),
    N_("a Gaussian for each kind"),
    N_("as many real pictures"),
    N_("real test pictures"),
    N_("the pull everywhere"),
    N_("a fifth elsewhere, by chance"),
    N_("no pull"),
    N_("nearest class mean of the pictures"),
    N_("support vector machine on the pictures"),
    N_("random 20% of cells"),
    N_("names of the training part, word for word"),
    N_("runs of capitalised words, most frequent type"),
    N_("always the same class"),
    N_("always the commonest box"),
    N_("always the training part's median count"),
    N_("colours, connected parts, watershed"),
    N_("boxes of the same sizes, anywhere"),
    N_("boxes that people marked"),
    N_("always pneumonia"),
    N_("always up"),
    N_("always hearing one and the same sentence"),
    N_("majority class"),
    N_("base rate for everybody"),
    N_("alerts drawn by lot"),
    N_("random policy"),
    N_("random walk"),
    N_("mean of the past year"),
    N_("HAR in logarithms"),
    N_("unigram counts"),
    N_("trigram counts"),
    N_("TF-IDF + logistic regression"),
    N_("logistic regression"),
    N_("MiniLM-L6, frozen + logistic regression"),
    N_("always neutral"),
    N_("logistic regression on the pixels"),
    N_("logistic regression on each band's mean and spread"),
    N_("logistic regression, all columns"),
    N_("random forest"),
    N_("random forest on Morgan fingerprints"),
    N_("always the training mean"),
    N_("the same for every molecule"),
    N_("random forest, all columns"),
    N_("gradient boosting"),
    N_("gradient boosting, all columns"),
    N_("gradient boosting, the Handbook's 15 columns"),
    N_("piper-tts, same weights"),
    N_("the voice, heard by Whisper tiny.en"),
    # Explanations.
    N_("a random map"),
    N_("any method"),
    # Published figures.
    N_("Whisper tiny.en, float"),
    N_("2-conv CNN, below 100,000 weights"),
    N_("people, asked by the data's authors"),
    N_("DenseNet-BC, 768,000 weights"),
    N_("WRN-40-4, 8.9 M weights"),
    N_("YOLOv3, seven times as many weights, 608 × 608"),
    N_("CNN on MFCC"),
    N_("BERT-base, reimplemented"),
    N_("modified ResNet-18 on mel spectrograms"),
    N_("best of the MedMNIST v2 paper"),
    N_("ResNet-18, pretrained on ImageNet"),
    N_("CNN with 93,000 parameters"),
    N_("tuned feed-forward network"),
    N_("tuned XGBoost"),
    N_("tuned random forest"),
    N_("tuned logistic regression"),
    N_("LSTM on real payments"),
    N_("tf_efficientnet_lite0, another conversion of the same checkpoint"),
    N_("MiniLM-L6, all layers"),
    N_("GIN, pretrained (infomax)"),
    N_("GIN, pretrained (context prediction)"),
    N_("Piper, a high-quality (larger) voice, AMD 5950X"),
    N_("VITS as published, one GPU (67.12 times real time)"),
    N_("three-layer network, 94 characteristics of each stock"),
    N_("Xception, 22.8 M weights, 299 pixels"),
    N_("Xception, 22.8 M weights, 299 pixels, by the data's author"),
    N_("EfficientNet-Lite0, TensorFlow, float32"),
    N_("OPUS-MT, millions of pairs; another test set of Tatoeba"),
    N_("Transformer that also sees the picture; lower case, tokenised"),
)
PROTECTED = ", with sex, education, marriage and age"  # columns that a rival got too


LICENCES = {"research and teaching (Multi30k)": N_("research and teaching (Multi30k)")}


def licence_name(name: str) -> str:
    """A licence's name; only one that is described, not named, has a translation."""
    return _(LICENCES.get(name, name))


def model_name(name: str) -> str:
    """A model's name."""
    if name.endswith(PROTECTED):
        model = model_name(name.removesuffix(PROTECTED))
        return _("{model}, with sex, education, marriage and age").format(model=model)
    if name.startswith("over "):  # a lead over a rival
        return _("over {model}").format(model=model_name(name.removeprefix("over ")))
    return _(name) if name else ""
