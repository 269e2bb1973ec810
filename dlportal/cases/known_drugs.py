"""Known drugs by name, and a few molecules that are none: structures as chemists know them."""

from dlportal.results import Label

DRUGS: dict[str, tuple[Label, str]] = {
    label.id: (label, smiles)
    for label, smiles in (
        (Label("aspirin", "Aspirin", "阿司匹林"), "CC(=O)Oc1ccccc1C(=O)O"),
        (Label("caffeine", "Caffeine", "咖啡因"), "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
        (Label("ibuprofen", "Ibuprofen", "布洛芬"), "CC(C)Cc1ccc(cc1)C(C)C(=O)O"),
        (Label("paracetamol", "Paracetamol", "对乙酰氨基酚"), "CC(=O)Nc1ccc(O)cc1"),
        (Label("nicotine", "Nicotine", "尼古丁"), "CN1CCC[C@H]1c1cccnc1"),
        (Label("diazepam", "Diazepam", "地西泮"), "CN1c2ccc(Cl)cc2C(=NCC1=O)c1ccccc1"),
        (
            Label("morphine", "Morphine", "吗啡"),
            "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
        ),
        (
            Label("penicillin", "Penicillin G", "青霉素 G"),
            "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
        ),
        (Label("metformin", "Metformin", "二甲双胍"), "CN(C)C(=N)NC(=N)N"),
        (Label("warfarin", "Warfarin", "华法林"), "CC(=O)CC(c1ccccc1)C1=C(O)c2ccccc2OC1=O"),
        (
            Label("atorvastatin", "Atorvastatin", "阿托伐他汀"),
            "CC(C)c1c(C(=O)Nc2ccccc2)c(-c2ccccc2)c(-c2ccc(F)cc2)n1CC[C@@H](O)C[C@@H](O)CC(=O)O",
        ),
        (
            Label("omeprazole", "Omeprazole", "奥美拉唑"),
            "COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C",
        ),
        (
            Label("sildenafil", "Sildenafil", "西地那非"),
            "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1",
        ),
        (
            Label("imatinib", "Imatinib", "伊马替尼"),
            "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(n1)-c1cccnc1",
        ),
        (
            Label("fluoxetine", "Fluoxetine", "氟西汀"),
            "CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1",
        ),
        (Label("dopamine", "Dopamine", "多巴胺"), "NCCc1ccc(O)c(O)c1"),
        (Label("lidocaine", "Lidocaine", "利多卡因"), "CCN(CC)CC(=O)Nc1c(C)cccc1C"),
        (
            Label("donepezil", "Donepezil", "多奈哌齐"),
            "COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2",
        ),
        (
            Label("verubecestat", "Verubecestat", "维罗司他"),
            "CN1C(=N)N[C@](C)(CS1(=O)=O)c1cc(NC(=O)c2ccc(F)cn2)ccc1F",
        ),
        (
            Label("ethinylestradiol", "Ethinylestradiol", "炔雌醇"),
            "C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc34)[C@@H]1CC[C@@]2(O)C#C",
        ),
        (
            Label("bisphenol_a", "Bisphenol A", "双酚 A"),
            "CC(C)(c1ccc(O)cc1)c1ccc(O)cc1",
        ),
        (Label("cisplatin", "Cisplatin", "顺铂"), "N.N.Cl[Pt]Cl"),
    )
}
"""Aspirin first. Bisphenol A is a plastic's building block that acts like a hormone; verubecestat
was made to block BACE; cisplatin is a metal complex, unlike nearly all that was measured."""
